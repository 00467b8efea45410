//! Certificate chains of web servers: a valid one, and common invalid ones.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::Result;

/// The kind of chain. Each has a root and an intermediate CA, except the self-signed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Own certificate and intermediate, in order.
    Good,
    /// Without the intermediate.
    WithoutIntermediate,
    /// For another host.
    OtherName,
    /// Expired yesterday.
    Expired,
    /// Valid from tomorrow.
    NotYet,
    /// Self-signed.
    SelfSigned,
}

/// A chain with its key, all as PEM.
pub struct Made {
    pub authority: String,
    /// The presented certificates, the own one first.
    pub certificates: String,
    pub key: String,
}

const DAY: Duration = Duration::from_hours(24);

impl Chain {
    pub fn make(self, hosts: &[&str]) -> Result<Made> {
        let (root, root_pem) = authority("root of a test", None)?;
        let (intermediate, intermediate_pem) = authority("intermediate of a test", Some(&root))?;
        let names: Vec<String> = match self {
            Self::OtherName => vec!["elsewhere.example.org".to_owned()],
            _ => hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "web");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let now = SystemTime::now();
        let (from, until) = match self {
            Self::Expired => (now - 31 * DAY, now - DAY),
            Self::NotYet => (now + DAY, now + 31 * DAY),
            _ => (now - DAY, now + 60 * DAY),
        };
        (params.not_before, params.not_after) = (from.into(), until.into());
        let key = KeyPair::generate()?;
        let own = match self {
            Self::SelfSigned => params.self_signed(&key)?.pem(),
            _ => params.signed_by(&key, &intermediate)?.pem(),
        };
        let certificates = match self {
            Self::SelfSigned | Self::WithoutIntermediate => own,
            _ => own + &intermediate_pem,
        };
        Ok(Made { authority: root_pem, certificates, key: key.serialize_pem() })
    }
}

fn authority(name: &str, by: Option<&Issuer<'static, KeyPair>>) -> Result<(Issuer<'static, KeyPair>, String)> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = match by {
        Some(by) => params.signed_by(&key, by)?.pem(),
        None => params.self_signed(&key)?.pem(),
    };
    Ok((Issuer::new(params, key), pem))
}
