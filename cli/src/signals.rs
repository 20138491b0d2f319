//! Being asked to end: by Ctrl-C, by a system that shuts down, by a terminal that goes away.

#[cfg(unix)]
pub(crate) use unix::Signals;

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> Self {
        Self
    }

    /// Waits for Ctrl-C. Where that cannot be noticed the system ends the process.
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// The signals that end a command in order. One that cannot be noticed ends the process, as the system has it.
    pub(crate) struct Signals {
        interrupt: Option<Signal>,
        terminate: Option<Signal>,
        hangup: Option<Signal>,
    }

    impl Signals {
        /// From now on they are noticed.
        pub(crate) fn listen() -> Self {
            let listen = |kind| {
                if is_ignored(kind) { None } else { signal(kind).ok() }
            };
            Self {
                // A shell has it ignored for what runs in the background. When it is sent there, it is meant.
                interrupt: signal(SignalKind::interrupt()).ok(),
                terminate: listen(SignalKind::terminate()),
                hangup: listen(SignalKind::hangup()),
            }
        }

        /// Waits for the first.
        pub(crate) async fn next(&mut self) {
            tokio::select! {
                () = received(&mut self.interrupt) => {}
                () = received(&mut self.terminate) => {}
                () = received(&mut self.hangup) => {}
            }
        }
    }

    async fn received(signal: &mut Option<Signal>) {
        match signal {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }

    /// The user wants this program to go on: `nohup` has the hang-up ignored. Where that cannot be known
    /// (there is no `/proc`), hang-ups are left to the system.
    fn is_ignored(kind: SignalKind) -> bool {
        let Ok(status) = fs::read_to_string("/proc/self/status") else {
            return kind == SignalKind::hangup();
        };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.unwrap_or(0) >> (kind.as_raw_value() - 1) & 1 == 1
    }
}
