//go:build tools

// Package tools names the program that is wanted, so that everything it needs is pinned.
package tools

import _ "sigs.k8s.io/krew/cmd/krew"
