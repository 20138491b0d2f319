//! What functions write into their logs, as JSON lines on standard output, where Lambda collects them.
//!
//! The policy: ids, counts and causes; never a token, a secret, a password, a signed address or a body. So tokens and
//! passwords have types whose `Debug` form hides them, and of libraries only warnings are let through, whatever level
//! is configured: at their finer levels they log whole requests.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Our own crates.
const OURS: [&str; 7] = [
    "api",
    "domain",
    "functions",
    "service",
    "store",
    "targets",
    "telemetry",
];

/// Sets up logging. `RUST_LOG` is the level of our own code, `info` if
/// it is not a level.
#[expect(
    clippy::disallowed_methods,
    reason = "a program logs before it has its environment"
)]
pub fn init() {
    let level = std::env::var("RUST_LOG").unwrap_or_default();
    // Fails only if a logger was set up before, which then serves as well.
    let _ = registry()
        .with(filter(&level))
        .with(fmt::layer().json().with_current_span(false))
        .try_init();
}

fn filter(level: &str) -> Targets {
    // An empty text would be a level, too: that of errors.
    let level = Some(level).filter(|level| !level.is_empty());
    let level = level.and_then(|level| level.parse().ok());
    let level: LevelFilter = level.unwrap_or(LevelFilter::INFO);
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OURS.map(|name| (name, level)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged_at(level: &str) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = registry()
            .with(filter(level))
            .with(fmt::layer().with_writer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            for event in [
                || tracing::warn!(target: "lambda_http", "library-warning"),
                || tracing::info!(target: "aws_smithy_runtime::client", "library-info"),
                || tracing::trace!(target: "lambda_runtime", "library-trace"),
                || tracing::info!(target: "api::problem", "ours-info"),
                || tracing::debug!(target: "functions::upload::create", "ours-debug"),
            ] {
                event();
            }
        });
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn libraries_never_log_what_they_send_and_receive() {
        for level in ["info", "debug", "trace", "aws_smithy_runtime=trace", ""] {
            let log = logged_at(level);
            assert!(
                log.contains("library-warning") && log.contains("ours-info"),
                "{level}: {log}"
            );
            assert!(
                !log.contains("library-info") && !log.contains("library-trace"),
                "{level}: {log}"
            );
        }
        assert!(logged_at("debug").contains("ours-debug"));
        assert!(!logged_at("info").contains("ours-debug"));
        assert_eq!(logged_at("off"), "");
    }
}
