//! How character sets are written in configuration.

use serde::{Deserialize, Serialize};

use super::{Charset, Reading, Undeclared};

/// [`Reading`] as configuration.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    always: Option<Charset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undeclared: Option<Undeclared>,
}

impl From<Setting> for Reading {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting { always: Some(set), .. } => Self::Always(set),
            Setting { undeclared: Some(undeclared), .. } => Self::Declared { undeclared },
            Setting { .. } => Self::default(),
        }
    }
}

impl From<Reading> for Setting {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::Always(set) => Self { always: Some(set), undeclared: None },
            Reading::Declared { undeclared } => Self { always: None, undeclared: Some(undeclared) },
        }
    }
}

impl TryFrom<String> for Charset {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::from_msh18(&name)
            .ok_or_else(|| format!("`{name}` is no character set read here (example: iso-8859-1)"))
    }
}

impl From<Charset> for String {
    fn from(set: Charset) -> Self {
        set.iana().to_owned()
    }
}

const REFUSE: &str = "refuse";
const UTF8_OR: &str = "utf-8-or-";

impl TryFrom<String> for Undeclared {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix(UTF8_OR) {
            _ if text == REFUSE => Ok(Self::Refuse),
            Some(second) => Charset::try_from(second.to_owned()).map(Self::Utf8Or),
            None => Charset::try_from(text).map(Self::As),
        }
    }
}

impl From<Undeclared> for String {
    fn from(undeclared: Undeclared) -> Self {
        match undeclared {
            Undeclared::Refuse => REFUSE.to_owned(),
            Undeclared::As(set) => set.into(),
            Undeclared::Utf8Or(set) => format!("{UTF8_OR}{}", set.iana()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn reading(yaml: &str) -> Result<Reading, serde_norway::Error> {
        serde_norway::from_str(yaml)
    }

    #[test]
    fn settings_read_and_write_back() {
        for (yaml, expected) in [
            ("always: windows-1252", Reading::Always(Charset::Windows1252)),
            ("undeclared: refuse", Reading::Declared { undeclared: Undeclared::Refuse }),
            (
                "undeclared: iso-8859-15",
                Reading::Declared { undeclared: Undeclared::As(Charset::Iso8859_15) },
            ),
            (
                "undeclared: utf-8-or-iso-8859-1",
                Reading::Declared { undeclared: Undeclared::Utf8Or(Charset::Iso8859_1) },
            ),
        ] {
            assert_eq!(reading(yaml).unwrap(), expected);
            assert_eq!(serde_norway::to_string(&expected).unwrap().trim(), yaml);
        }
        assert_eq!(reading("{}").unwrap(), Reading::default());
    }

    #[test]
    fn a_mistyped_setting_is_refused_by_name() {
        assert!(reading("undeclared: utf-8-or-latin9").unwrap_err().to_string().contains("`latin9`"));
        assert!(reading("undecided: utf-8").is_err());
    }
}
