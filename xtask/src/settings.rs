//! What `up` was told the last time.

use crate::args::Choice;
use crate::emulator::Kind;
use crate::tools;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) on: Kind,
    pub(crate) port: u16,
    pub(crate) ceph: bool,
    pub(crate) oss: bool,
    /// Whether LocalStack shall run in a container.
    pub(crate) docker: bool,
}

/// What is taken when nothing was ever chosen.
const DEFAULT: Settings = Settings {
    on: Kind::MiniStack,
    port: 4566,
    ceph: false,
    oss: false,
    docker: false,
};

impl Settings {
    pub(crate) fn load(state: &Path) -> Result<Self> {
        let file = Self::file(state);
        let kept = if file.exists() {
            tools::read_json(&file)?
        } else {
            Value::Null
        };
        let port = kept["port"].as_u64().and_then(|port| port.try_into().ok());
        let on = Kind::ALL.into_iter().find(|kind| kept["on"] == kind.word());
        Ok(Self {
            on: on.unwrap_or(DEFAULT.on),
            port: port.unwrap_or(DEFAULT.port),
            ceph: kept["ceph"].as_bool().unwrap_or(DEFAULT.ceph),
            oss: kept["oss"].as_bool().unwrap_or(DEFAULT.oss),
            docker: kept["docker"].as_bool().unwrap_or(DEFAULT.docker),
        })
    }

    /// What `choice` leaves as it was the last time, where that is not what is taken without a choice: in words, with the way
    /// to take the other. `None`: nothing.
    pub(crate) fn kept(&self, choice: Choice) -> Option<String> {
        let mut kept: Vec<(String, String)> = Vec::new();
        if choice.on.is_none() && self.on != DEFAULT.on {
            kept.push((
                format!("on {}", self.on.name()),
                format!("--on {}", DEFAULT.on.word()),
            ));
        }
        if choice.port.is_none() && self.port != DEFAULT.port {
            kept.push((
                format!("on port {}", self.port),
                format!("--port {}", DEFAULT.port),
            ));
        }
        for (chosen, is, words, other) in [
            (choice.docker, self.docker, "in a container", "--no-docker"),
            (choice.ceph, self.ceph, "with a real Ceph", "--no-ceph"),
            (choice.oss, self.oss, "with an OSS server", "--no-oss"),
        ] {
            if chosen.is_none() && is {
                kept.push((words.to_owned(), other.to_owned()));
            }
        }
        let (words, others): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
        (!words.is_empty()).then(|| {
            format!(
                "As the last time: {}. Otherwise: cargo xtask up {}",
                words.join(", "),
                others.join(" ")
            )
        })
    }

    /// What is said now counts.
    pub(crate) fn with(self, choice: Choice) -> Self {
        Self {
            on: choice.on.unwrap_or(self.on),
            port: choice.port.unwrap_or(self.port),
            ceph: choice.ceph.unwrap_or(self.ceph),
            oss: choice.oss.unwrap_or(self.oss),
            docker: choice.docker.unwrap_or(self.docker),
        }
    }

    pub(crate) fn save(&self, state: &Path) -> Result<()> {
        tools::write_json(
            &Self::file(state),
            &json!({
                "on": self.on.word(), "port": self.port, "ceph": self.ceph, "oss": self.oss, "docker": self.docker,
            }),
        )
    }

    fn file(state: &Path) -> PathBuf {
        state.join("settings.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn nothing_is_said_of_what_is_said_now_or_goes_without_saying() {
        assert_eq!(DEFAULT.kept(Choice::default()), None);
        let chosen = Choice {
            on: Some(Kind::LocalStack),
            docker: Some(true),
            port: Some(4600),
            ceph: Some(true),
            oss: Some(true),
        };
        assert_eq!(DEFAULT.with(chosen).kept(chosen), None);
    }

    /// A developer who once made another choice is told that it is still taken, and how to take the first one
    /// again.
    #[test]
    fn what_is_kept_is_said_with_the_way_back() {
        let folder = std::env::temp_dir().join(format!("longshore-xtask-settings-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let kept_after = |chosen: Choice, now: Choice| {
            DEFAULT.with(chosen).save(&folder).unwrap();
            Settings::load(&folder).unwrap().kept(now)
        };
        let localstack = Choice {
            on: Some(Kind::LocalStack),
            ..Choice::default()
        };
        assert_eq!(
            kept_after(localstack, Choice::default()).unwrap(),
            "As the last time: on LocalStack. Otherwise: cargo xtask up --on ministack"
        );
        let everything = Choice {
            docker: Some(true),
            port: Some(4600),
            ceph: Some(true),
            oss: Some(true),
            ..localstack
        };
        assert_eq!(
            kept_after(everything, Choice::default()).unwrap(),
            "As the last time: on LocalStack, on port 4600, in a container, with a real Ceph, with an OSS server. \
             Otherwise: cargo xtask up --on ministack --port 4566 --no-docker --no-ceph --no-oss"
        );
        let now = Choice {
            on: Some(Kind::MiniStack),
            ceph: Some(false),
            ..Choice::default()
        };
        assert_eq!(
            kept_after(everything, now).unwrap(),
            "As the last time: on port 4600, in a container, with an OSS server. \
             Otherwise: cargo xtask up --port 4566 --no-docker --no-oss"
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
