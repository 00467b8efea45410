// Fills in .krew.yaml as krew-release-bot does, for archives that are not uploaded yet.
//
//	go run krew-manifest/render.go .krew.yaml TAG SHA256SUMS
package main

import (
	"fmt"
	"log"
	"os"
	"path"
	"strings"
	"text/template"
)

func main() {
	log.SetFlags(0)
	file, release := os.Args[1], map[string]string{"TagName": os.Args[2]}
	text, err := os.ReadFile(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	digests := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 2 {
			digests[words[1]] = words[0]
		}
	}
	// The bot takes the digest of what it downloads, and indents the second line for a list that is not indented.
	addURIAndSha := func(url, _ string) (string, error) {
		var uri strings.Builder
		inner, err := template.New("url").Parse(url)
		if err == nil {
			err = inner.Execute(&uri, release)
		}
		digest, packed := digests[path.Base(uri.String())]
		if !packed {
			log.Printf("%s is not packed: this manifest cannot install it", path.Base(uri.String()))
			digest = strings.Repeat("f", 64)
		}
		return fmt.Sprintf("uri: %s\n    sha256: %s", uri.String(), digest), err
	}
	functions := template.FuncMap{"addURIAndSha": addURIAndSha}
	manifest, err := template.New(path.Base(file)).Funcs(functions).ParseFiles(file)
	if err == nil {
		err = manifest.Execute(os.Stdout, release)
	}
	if err != nil {
		log.Fatal(err)
	}
}
