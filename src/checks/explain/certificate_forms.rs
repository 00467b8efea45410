//! Forms of certificates that some clients or servers refuse.

use super::{Explanation, Severity};

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: "certificate-critical-extension",
        about: "a critical extension that TLS clients do not know",
        severities: &[Severity::Blocker],
        meaning: "A certificate of the chain marks an extension as critical that no TLS client acts upon, so each has to refuse it. \
                  A precertificate, which a CA hands to the logs of Certificate Transparency, is such a one.",
        why: "Every client refuses the connection to MAS, and with it every login.",
        mend: "Take the certificate that the CA issued in the end, not the precertificate; from a CA of your own, get one without \
               that extension.",
        source: "RFC 5280 section 4.2; tried with rustls and openssl",
    },
    Explanation {
        code: "certificate-malformed",
        about: "a certificate that breaks the rules, but can be read",
        severities: &[Severity::Warning],
        meaning: "Its serial number is negative, or an extension stands in it twice. openssl and rustls accept that; the library of \
                  the language Go does not.",
        why: "Ingresses written in Go (Traefik, the NGINX ingress controller) do not load it, and serve a certificate of their own, \
              which clients refuse.",
        mend: "Get another certificate from the CA.",
        source: "RFC 5280 section 4.1.2.2 and 4.2; Go's package crypto/x509",
    },
    Explanation {
        code: "certificate-cross-signed",
        about: "two certificates of one CA in the chain, from different issuers",
        severities: &[Severity::Warning],
        meaning: "The CA is signed by two others, usually an old root and a new one, and the file holds both certificates.",
        why: "Clients that know one root only may try the other way first and give up; openssl does.",
        mend: "Put the one first whose root your clients have. Where all of them have it, leave the other one out.",
        source: "tried with openssl 3 and rustls",
    },
];
