//! The command line, which `cargo xtask bench replicate` fills in.

use clap::Parser;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Copies the same files from the same bucket to the same Ceph, with Longshore's workers and with rclone, in turns.
#[derive(Parser)]
#[command(override_usage = "cargo xtask bench replicate [OPTIONS]")]
pub(crate) struct Args {
    /// What is deployed.
    #[arg(long, hide = true)]
    pub(crate) stack: PathBuf,
    /// The Ceph to copy to.
    #[arg(long, hide = true)]
    pub(crate) ceph: PathBuf,
    /// The file with the emulator's process id.
    #[arg(long, hide = true)]
    pub(crate) emulator_pid: PathBuf,
    /// The worker's program.
    #[arg(long, hide = true)]
    pub(crate) bootstrap: PathBuf,
    /// rclone's program.
    #[arg(long, hide = true)]
    pub(crate) rclone: PathBuf,
    /// Where to write the results, as JSON; logs go beside it.
    #[arg(long, hide = true)]
    pub(crate) out: PathBuf,
    /// The size of the large file; 0 leaves it out
    #[arg(long, default_value = "2GiB", value_parser = size)]
    pub(crate) large: u64,
    /// How many small files; 0 leaves them out
    #[arg(long, default_value_t = 5000)]
    pub(crate) small: usize,
    /// The size of each small file
    #[arg(long, default_value = "10KiB", value_parser = size)]
    pub(crate) small_size: u64,
    /// The size of the file that is copied over slow connections; 0 leaves it out
    #[arg(long, default_value = "1GiB", value_parser = size)]
    pub(crate) limited: u64,
    /// What a slow connection carries in a second
    #[arg(long, default_value = "4MiB", value_parser = size)]
    pub(crate) per_connection: u64,
    /// How often each contestant copies everything
    #[arg(long, default_value = "2")]
    pub(crate) rounds: NonZeroU32,
    /// How many small files rclone copies at a time; its own default is 4
    #[arg(long, default_value = "4")]
    pub(crate) transfers: NonZeroU32,
}

/// `10KiB`, `256MiB`, `2GiB`, or a number of bytes.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(format!("{unit:?} is not one of KiB, MiB, GiB")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "it begins with no number".to_owned())?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "that is too much".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_understood() {
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("10KiB"), Ok(10_240));
        assert_eq!(size("7"), Ok(7));
        for wrong in ["", "GiB", "2GB", "99999999999GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
