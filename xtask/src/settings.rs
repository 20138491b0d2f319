//! What `up` was told the last time.

use crate::args::Choice;
use crate::emulator::Kind;
use crate::tools;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const DEFAULT_PORT: u16 = 4566;

pub(crate) struct Settings {
    pub(crate) on: Kind,
    pub(crate) port: u16,
    pub(crate) ceph: bool,
    pub(crate) oss: bool,
    /// Whether LocalStack shall run in a container.
    pub(crate) docker: bool,
}

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
            on: on.unwrap_or(Kind::MiniStack),
            port: port.unwrap_or(DEFAULT_PORT),
            ceph: kept["ceph"].as_bool().unwrap_or(false),
            oss: kept["oss"].as_bool().unwrap_or(false),
            docker: kept["docker"].as_bool().unwrap_or(false),
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
