//! The processes in which the stack's own functions run, on this machine: not those of a sandbox.

use super::stack::stack;
use std::fs;
use std::process::{Command, Stdio};

/// A process of a function.
pub(crate) struct FunctionProcess {
    pub(crate) pid: u32,
    /// The function, by its folder's name.
    pub(crate) function: String,
}

/// Those that there are now.
pub(crate) fn function_processes() -> Vec<FunctionProcess> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let environment = fs::read(process.path().join("environ")).ok()?;
            let function = function_of(&environment)?;
            Some(FunctionProcess { pid, function })
        })
        .collect()
}

/// The function that runs with this environment, if it is one of the stack's.
fn function_of(environment: &[u8]) -> Option<String> {
    let variables: Vec<_> = environment
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy)
        .collect();
    let value = |name: &str| {
        let mut variables = variables.iter();
        variables.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    if value("AWS_ENDPOINT_URL") != Some(&stack().endpoint) {
        return None;
    }
    let physical = value("AWS_LAMBDA_FUNCTION_NAME")?;
    let mut functions = stack().functions.iter();
    let (function, _) = functions.find(|(_, name)| *name == physical)?;
    Some(function.clone())
}

impl FunctionProcess {
    /// How long it has had a processor, in nanoseconds. Nothing when it is gone.
    pub(crate) fn worked(&self) -> Option<u64> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?;
        let times = threads.flatten().filter_map(|thread| {
            let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<u64>().ok()
        });
        Some(times.sum())
    }

    /// `kill -9`. Returns whether it was still there.
    pub(crate) fn kill(&self) -> bool {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", &self.pid.to_string()]).stderr(Stdio::null());
        kill.status().unwrap().success()
    }
}
