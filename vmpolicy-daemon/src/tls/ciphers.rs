//! The ciphers of TLS, for clients that have no certificate of their own.

use ring::rand::SecureRandom as _;
use rustls::crypto::ring::{cipher_suite as suite, kx_group};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, SupportedKxGroup, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm};
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme, SupportedCipherSuite};
use std::sync::Arc;
use webpki::ring as signed;

/// AES only. Every server of TLS 1.3 has it (RFC 8446, 9.1), and those of 1.2 are told to (RFC 9325, 4.2).
static SUITES: [SupportedCipherSuite; 6] = [
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

static GROUPS: [&dyn SupportedKxGroup; 3] = [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// How certificates may be signed.
static CERTIFICATES: [&dyn SignatureVerificationAlgorithm; 14] = [
    signed::ECDSA_P256_SHA256,
    signed::ECDSA_P256_SHA384,
    signed::ECDSA_P384_SHA256,
    signed::ECDSA_P384_SHA384,
    signed::ED25519,
    signed::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    signed::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    signed::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    signed::RSA_PKCS1_2048_8192_SHA256,
    signed::RSA_PKCS1_2048_8192_SHA384,
    signed::RSA_PKCS1_2048_8192_SHA512,
    signed::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    signed::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    signed::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
];

/// How handshakes may be signed, the dearest first; where there are two, TLS 1.2 tries both.
static HANDSHAKES: [(SignatureScheme, &[&dyn SignatureVerificationAlgorithm]); 9] = [
    (SignatureScheme::ECDSA_NISTP384_SHA384, &[signed::ECDSA_P384_SHA384, signed::ECDSA_P256_SHA384]),
    (SignatureScheme::ECDSA_NISTP256_SHA256, &[signed::ECDSA_P256_SHA256, signed::ECDSA_P384_SHA256]),
    (SignatureScheme::ED25519, &[signed::ED25519]),
    (SignatureScheme::RSA_PSS_SHA512, &[signed::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
    (SignatureScheme::RSA_PSS_SHA384, &[signed::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
    (SignatureScheme::RSA_PSS_SHA256, &[signed::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
    (SignatureScheme::RSA_PKCS1_SHA512, &[signed::RSA_PKCS1_2048_8192_SHA512]),
    (SignatureScheme::RSA_PKCS1_SHA384, &[signed::RSA_PKCS1_2048_8192_SHA384]),
    (SignatureScheme::RSA_PKCS1_SHA256, &[signed::RSA_PKCS1_2048_8192_SHA256]),
];

/// What rustls has of ring by default, but for a third cipher and for signing with private keys, as nobody here has one:
/// both would be in the program for nothing. A test holds the rest to the default.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        kx_groups: GROUPS.to_vec(),
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: &CERTIFICATES,
            mapping: &HANDSHAKES,
        },
        secure_random: &System,
        key_provider: &NoKeys,
    }
}

/// The kernel's random numbers.
#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        ring::rand::SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("clients with certificates of their own are not provided for".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_one_cipher_is_as_rustls_has_it() {
        let (ours, theirs) = (provider(), rustls::crypto::ring::default_provider());
        let suites: Vec<_> = theirs.cipher_suites.iter().map(SupportedCipherSuite::suite).collect();
        let aes = suites.iter().filter(|suite| !format!("{suite:?}").contains("CHACHA20")).copied();
        let kept: Vec<_> = ours.cipher_suites.iter().map(SupportedCipherSuite::suite).collect();
        assert_eq!(kept, aes.collect::<Vec<_>>());
        assert_eq!(suites.len() - kept.len(), 3);
        let groups = |of: &CryptoProvider| of.kx_groups.iter().map(|group| group.name()).collect::<Vec<_>>();
        assert_eq!(groups(&ours), groups(&theirs));
        let names = |these: &[&dyn SignatureVerificationAlgorithm]| {
            let name = |one: &&dyn SignatureVerificationAlgorithm| {
                (one.public_key_alg_id().to_vec(), one.signature_alg_id().to_vec())
            };
            these.iter().map(name).collect::<Vec<_>>()
        };
        let signatures = |of: &CryptoProvider| {
            let these = of.signature_verification_algorithms;
            let mapped = these.mapping.iter().map(|(scheme, these)| (*scheme, names(these)));
            (names(these.all), mapped.collect::<Vec<_>>())
        };
        assert_eq!(signatures(&ours), signatures(&theirs));
    }

    #[test]
    fn random_bytes_differ() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        provider().secure_random.fill(&mut one).unwrap();
        provider().secure_random.fill(&mut other).unwrap();
        assert_ne!(one, other);
    }
}
