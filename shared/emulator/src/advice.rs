//! What to install where Python, or a part of it, is missing.

use std::fs;

/// A family of systems that install software in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Mac,
    Debian,
    Fedora,
    Arch,
    Alpine,
    Suse,
    Other,
}

/// How to get a Python that can run the emulator.
pub(crate) fn install_python() -> String {
    command(system())
}

fn command(system: System) -> String {
    let command = match system {
        System::Mac => "brew install python",
        System::Debian => "sudo apt install python3 python3-venv",
        System::Fedora => "sudo dnf install python3 python3-pip",
        System::Arch => "sudo pacman -S python",
        System::Alpine => "apk add python3 py3-pip",
        System::Suse => "sudo zypper install python3 python3-pip",
        System::Other => return "Install Python from https://www.python.org/downloads".to_owned(),
    };
    format!("Install it with `{command}`")
}

fn system() -> System {
    if cfg!(target_os = "macos") {
        return System::Mac;
    }
    by_release(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// By os-release(5): `ID`, then what it is like.
fn by_release(release: &str) -> System {
    let field = |name: &str| {
        let value = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches('"').to_owned()
    };
    let words = format!("{} {}", field("ID"), field("ID_LIKE"));
    let known = |word: &str| match word {
        "debian" | "ubuntu" => Some(System::Debian),
        "fedora" | "rhel" | "centos" | "amzn" => Some(System::Fedora),
        "arch" => Some(System::Arch),
        "alpine" => Some(System::Alpine),
        "suse" | "opensuse" => Some(System::Suse),
        _ => None,
    };
    words.split_whitespace().find_map(known).unwrap_or(System::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_what_they_are_like() {
        let cases = [
            ("ID=debian\n", System::Debian),
            ("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", System::Debian),
            ("ID=\"amzn\"\nID_LIKE=\"fedora\"\n", System::Fedora),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", System::Fedora),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", System::Suse),
            ("", System::Other),
        ];
        for (release, expected) in cases {
            assert_eq!(by_release(release), expected, "{release}");
        }
    }

    #[test]
    fn debian_needs_a_package_of_its_own_for_environments() {
        assert!(command(System::Debian).contains("python3-venv"));
    }
}
