//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

use crate::human;
use crate::output;
use client::transfer::{Observer, TransferEvent};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Between two changes of a bar's text.
const TEXT_EVERY: Duration = Duration::from_millis(200);
/// How far back the shown speed looks.
const WINDOW: Duration = Duration::from_secs(10);

/// Shows one transfer at a time. Clones show the same.
#[derive(Clone)]
pub(crate) struct Display {
    mode: Mode,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Silent,
    Lines,
    Bars,
}

#[derive(Default)]
struct State {
    name: String,
    verb: &'static str,
    phase: &'static str,
    total: u64,
    done: u64,
    parts: u32,
    parts_done: u32,
    speed: Speed,
    shown: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Display {
    /// On a terminal, elsewhere, or not at all.
    pub(crate) fn new(quiet: bool) -> Self {
        let mode = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Mode::Silent,
            (false, true) => Mode::Bars,
            (false, false) => Mode::Lines,
        };
        Self {
            mode,
            state: Arc::default(),
        }
    }

    /// Begins with a file; `verb` is what happens to it, for instance `sending`.
    pub(crate) fn begin(&self, name: &str, verb: &'static str) -> Observer {
        *self.lock() = State {
            name: output::plain(name),
            verb,
            ..State::default()
        };
        let display = self.clone();
        Observer::new(move |event| display.on(event))
    }

    /// Removes the bar.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.lock().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Parts done and parts in all of the transfer under way.
    pub(crate) fn parts(&self) -> Option<(u32, u32)> {
        let state = self.lock();
        (state.parts > 0).then_some((state.parts_done, state.parts))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on(&self, event: TransferEvent) {
        let now = Instant::now();
        let mut state = self.lock();
        match event {
            TransferEvent::HashingBegan(bytes) => self.phase(&mut state, "hashing", bytes, 0, now),
            TransferEvent::TransferBegan {
                total,
                kept,
                parts,
                kept_parts,
            } => {
                (state.parts, state.parts_done) = (parts, kept_parts);
                let verb = state.verb;
                self.phase(&mut state, verb, total, kept, now);
                if kept_parts > 0 {
                    let text = format!("{}: {kept_parts} of {parts} parts are there already", state.name);
                    self.remark(&state, &text);
                }
            }
            TransferEvent::Hashed(bytes) | TransferEvent::Moved(bytes) => state.done += bytes,
            TransferEvent::Undone(bytes) => {
                state.done = state.done.saturating_sub(bytes);
                state.speed = Speed::default();
            }
            TransferEvent::PartDone(_) => state.parts_done += 1,
            TransferEvent::Retrying { part, reason, wait } => {
                let wait = wait.as_secs_f64();
                let text = format!(
                    "{}: part {part}: {reason}; trying again in {wait:.1} s",
                    state.name
                );
                self.remark(&state, &output::plain(&text));
            }
            TransferEvent::Finalizing => self.finalizing(&state),
            TransferEvent::Replaced => {
                let text = format!("{}: it was replaced meanwhile; beginning anew", state.name);
                self.remark(&state, &text);
            }
            _ => {}
        }
        self.show(&mut state, now);
    }

    fn phase(&self, state: &mut State, phase: &'static str, total: u64, done: u64, now: Instant) {
        (state.phase, state.total, state.done) = (phase, total, done);
        state.speed = Speed::default();
        // A line only for what takes a while.
        state.shown = (self.mode == Mode::Lines).then_some(now);
        if self.mode == Mode::Bars {
            let bar = state.bar.get_or_insert_with(bar);
            bar.set_prefix(format!("{}: {phase}", state.name));
            bar.set_length(total);
        }
    }

    fn show(&self, state: &mut State, now: Instant) {
        let (done, total) = (state.done, state.total);
        state.speed.note(now, done);
        let pause = if self.mode == Mode::Bars {
            TEXT_EVERY
        } else {
            LINE_EVERY
        };
        if state.shown.is_some_and(|shown| now.duration_since(shown) < pause) {
            return;
        }
        state.shown = Some(now);
        let text = text(done, total, state.speed.bytes_per_second());
        match (&state.bar, self.mode) {
            (Some(bar), _) => {
                bar.set_position(done);
                bar.set_message(text);
            }
            (None, Mode::Lines) if !state.phase.is_empty() => {
                output::note(&format!("{}: {}: {text}", state.name, state.phase));
            }
            _ => {}
        }
    }

    fn finalizing(&self, state: &State) {
        if let Some(bar) = &state.bar {
            bar.set_position(state.total);
            bar.set_prefix(format!("{}: the store puts the parts together", state.name));
            bar.set_message("");
        } else if self.mode == Mode::Lines && state.parts > 1 {
            output::note(&format!("{}: the store puts the parts together", state.name));
        }
    }

    fn remark(&self, state: &State, text: &str) {
        match (&state.bar, self.mode) {
            (Some(bar), _) => bar.println(text),
            (None, Mode::Lines) => output::note(text),
            _ => {}
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:25}] {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(TEXT_EVERY);
    bar
}

/// `12% of 1.0 GiB, 80.2 MiB/s, 11 s left`.
fn text(done: u64, total: u64, speed: Option<u64>) -> String {
    let percent = if total == 0 {
        100
    } else {
        u128::from(done) * 100 / u128::from(total)
    };
    let mut text = format!("{percent}% of {}", human::size(total));
    if let Some(speed) = speed.filter(|speed| *speed > 0) {
        let left = Duration::from_secs(total.saturating_sub(done).div_ceil(speed));
        let _ = write!(text, ", {}/s, {} left", human::size(speed), human::duration(left));
    }
    text
}

/// The speed over the last seconds.
#[derive(Default)]
struct Speed {
    samples: VecDeque<(Instant, u64)>,
}

impl Speed {
    fn note(&mut self, now: Instant, done: u64) {
        let due = self
            .samples
            .back()
            .is_none_or(|(at, _)| now.duration_since(*at) >= TEXT_EVERY);
        if due {
            self.samples.push_back((now, done));
        }
        while self.samples.len() > 2 && now.duration_since(self.samples[0].0) > WINDOW {
            self.samples.pop_front();
        }
    }

    fn bytes_per_second(&self) -> Option<u64> {
        let ((from, before), (to, after)) = (self.samples.front()?, self.samples.back()?);
        let millis = to.duration_since(*from).as_millis();
        let bytes = u128::from(after.saturating_sub(*before));
        u64::try_from((bytes * 1000).checked_div(millis)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn progress_reads_well() {
        assert_eq!(text(0, 0, None), "100% of 0 B");
        assert_eq!(text(MIB, 10 * MIB, None), "10% of 10.0 MiB");
        assert_eq!(
            text(MIB, 1024 * MIB, Some(8 * MIB)),
            "0% of 1.0 GiB, 8.0 MiB/s, 2 min 08 s left"
        );
    }

    #[test]
    fn speed_forgets_the_past_and_what_was_there_before() {
        let start = Instant::now();
        let mut speed = Speed::default();
        speed.note(start, 500 * MIB);
        assert_eq!(speed.bytes_per_second(), None);
        for second in 1..=30 {
            let fast = if second <= 15 {
                8 * second
            } else {
                120 + 2 * (second - 15)
            };
            speed.note(start + Duration::from_secs(second), (500 + fast) * MIB);
            if second == 10 {
                assert_eq!(speed.bytes_per_second(), Some(8 * MIB));
            }
        }
        assert_eq!(speed.bytes_per_second(), Some(2 * MIB));
    }

    #[test]
    fn parts_are_counted_from_what_was_kept() {
        let display = Display {
            mode: Mode::Silent,
            state: Arc::default(),
        };
        display.begin("f", "sending");
        assert_eq!(display.parts(), None);
        display.on(TransferEvent::TransferBegan {
            total: 40,
            kept: 20,
            parts: 4,
            kept_parts: 2,
        });
        display.on(TransferEvent::Moved(10));
        display.on(TransferEvent::PartDone(3));
        display.on(TransferEvent::Moved(5));
        display.on(TransferEvent::Undone(5));
        assert_eq!(display.parts(), Some((3, 4)));
        assert_eq!(display.lock().done, 30);
    }
}
