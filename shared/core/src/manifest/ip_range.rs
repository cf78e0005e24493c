//! Lists of addresses.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An address range in CIDR form, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange {
    base: IpAddr,
    bits: u8,
}

impl IpRange {
    /// Whether `address` lies in the range. An IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == a.to_bits() & mask
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == a.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl TryFrom<String> for IpRange {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let invalid = || format!("`{text}` is not an address or a CIDR range (example: 203.0.113.0/24)");
        let (address, bits) = text.split_once('/').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
        let base: IpAddr = address.parse().map_err(|_| invalid())?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| invalid())?;
        if bits > width { Err(invalid()) } else { Ok(Self { base, bits }) }
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        format!("{}/{}", range.base, range.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_say() {
        let range = IpRange::try_from("203.0.113.0/24".to_owned()).unwrap_or_else(|e| panic!("{e}"));
        let inside = |a: &str| a.parse::<IpAddr>().is_ok_and(|a| range.contains(a));
        assert!(inside("203.0.113.9") && inside("::ffff:203.0.113.9"));
        assert!(!inside("203.0.114.9") && !inside("2001:db8::1"));
        assert!(
            IpRange::try_from("0.0.0.0/0".to_owned()).is_ok_and(|r| r.contains(IpAddr::from([8, 8, 8, 8])))
        );
        assert!(IpRange::try_from("10.0.0.0/33".to_owned()).is_err());
    }
}
