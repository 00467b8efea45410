//! The key types as values of flags.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::x509::{RsaBits, TlsKeyType};

impl ValueEnum for TlsKeyType {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::P256, Self::Rsa(RsaBits::Bits2048), Self::Rsa(RsaBits::Bits3072), Self::Rsa(RsaBits::Bits4096)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::P256 => PossibleValue::new("p256").help("ECDSA, P-256"),
            Self::Rsa(RsaBits::Bits2048) => PossibleValue::new("rsa2048").help("RSA, 2048 bits"),
            Self::Rsa(RsaBits::Bits3072) => PossibleValue::new("rsa3072").help("RSA, 3072 bits"),
            Self::Rsa(RsaBits::Bits4096) => PossibleValue::new("rsa4096").help("RSA, 4096 bits"),
        })
    }
}

impl ValueEnum for RsaBits {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Bits2048, Self::Bits3072, Self::Bits4096]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Bits2048 => PossibleValue::new("2048"),
            Self::Bits3072 => PossibleValue::new("3072"),
            Self::Bits4096 => PossibleValue::new("4096"),
        })
    }
}
