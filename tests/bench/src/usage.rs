//! What processes have used, as the kernel counts it.

use std::fs;
use std::ops::{Add, Sub};

/// The kernel tells processors' time in hundredths of a second, on every machine that Longshore runs on.
const TICKS: f64 = 100.0;

/// The most memory that a process has used so far, in KiB; nothing when it is gone.
pub(crate) fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    mark.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Processor time in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cpu(pub(crate) f64);

impl Cpu {
    /// What these processes have used so far.
    pub(crate) fn of(pids: &[u32]) -> Self {
        pids.iter()
            .filter_map(|pid| Self::of_one(*pid))
            .fold(Self::default(), Add::add)
    }

    fn of_one(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name, which may contain anything.
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let ticks = |index: usize| fields.get(index)?.parse::<u32>().ok().map(f64::from);
        Some(Self((ticks(11)? + ticks(12)?) / TICKS))
    }
}

impl Add for Cpu {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0 + more.0)
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self(self.0 - less.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let pid = std::process::id();
        assert!(peak_memory(pid).unwrap() > 100);
        let before = Cpu::of(&[pid]);
        let mut sum = 0_u64;
        while (Cpu::of(&[pid]) - before).0 < 0.05 {
            sum = sum.wrapping_mul(31).wrapping_add(1);
        }
        assert!(sum > 0);
    }

    #[test]
    fn nobody_uses_nothing() {
        assert_eq!(peak_memory(u32::MAX), None);
        assert_eq!(Cpu::of(&[u32::MAX]), Cpu(0.0));
    }
}
