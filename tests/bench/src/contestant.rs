//! The programs that are compared.

/// The program that copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contestant {
    Workers(usize),
    Rclone,
}

impl Contestant {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Workers(1) => "1 worker".to_owned(),
            Self::Workers(many) => format!("{many} workers"),
            Self::Rclone => "rclone".to_owned(),
        }
    }
}
