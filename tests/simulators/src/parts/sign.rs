//! Signatures of webhooks.

use aws_lc_rs::hmac;

/// HMAC-SHA-256 (RFC 2104), 32 bytes.
#[must_use]
pub fn hmac_sha256(secret: &str, message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message).as_ref().to_vec()
}

/// The same in lower-case hex.
#[must_use]
pub fn hmac_sha256_hex(secret: &str, message: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&hmac_sha256(secret, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn it_is_the_standards() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac_sha256_hex("Jefe", b"what do ya want for nothing?"), expected);
    }
}
