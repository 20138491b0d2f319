//! Whether a target is asked at all.

use crate::error::StoreError;
use crate::rows::CircuitRow;
use crate::table::Table;
use domain::circuit::{Admission, Circuit, FIRST_WAIT, News, Probe};
use domain::time::saturating_add;
use jiff::Timestamp;

/// How often a change is tried that others were faster with.
const CIRCUIT_ATTEMPTS: u32 = 5;

/// What came of telling how a target did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The circuit as it is then.
    pub circuit: Circuit,
    /// It was this that opened it, closed it, or left it open for longer: the worker that reported says what
    /// comes next.
    pub turned: bool,
}

/// Circuits of targets.
#[derive(Clone, Copy)]
pub struct Circuits<'a>(pub(crate) &'a Table);

impl Table {
    /// Circuits of targets.
    #[must_use]
    pub fn circuits(&self) -> Circuits<'_> {
        Circuits(self)
    }
}

impl Circuits<'_> {
    /// How a target has been doing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(self, target: &str) -> Result<CircuitRow, StoreError> {
        let row = self.0.get(&CircuitRow::key_of(target)).await?;
        Ok(row.unwrap_or_else(|| CircuitRow {
            target: target.to_owned(),
            ..CircuitRow::default()
        }))
    }

    /// A worker wants to work on a target. Returns the answer, and how the target has been doing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask(self, target: &str, now: Timestamp) -> Result<(Admission, Circuit), StoreError> {
        let row = self.get(target).await?;
        let (admission, next) = row.circuit.ask(now);
        let Some(circuit) = next else {
            return Ok((admission, row.circuit));
        };
        let next = CircuitRow {
            circuit,
            version: row.version + 1,
            ..row.clone()
        };
        match self.0.put_version(&next, row.version).await {
            Ok(()) => Ok((admission, circuit)),
            // Another worker is the probe.
            Err(error) if error.is_conflict() => {
                let until = saturating_add(now, FIRST_WAIT);
                Ok((Admission::Wait(until), row.circuit))
            }
            Err(error) => Err(error),
        }
    }

    /// Somebody tells how a target did, and of a failure why: the `probe`, or another one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tell(
        self,
        target: &str,
        (news, reason): (News, Option<&str>),
        probe: Option<Probe>,
        now: Timestamp,
    ) -> Result<Told, StoreError> {
        for _ in 0..CIRCUIT_ATTEMPTS {
            let row = self.get(target).await?;
            let Some(circuit) = row.circuit.told(news, probe, now) else {
                return Ok(Told {
                    circuit: row.circuit,
                    turned: false,
                });
            };
            let next = CircuitRow {
                circuit,
                reason: match news {
                    News::Failed { .. } => reason.map(str::to_owned),
                    News::Well => None,
                    News::Unasked => row.reason.clone(),
                },
                version: row.version + 1,
                ..row.clone()
            };
            match self.0.put_version(&next, row.version).await {
                Ok(()) => {
                    if circuit.is_open() && !row.circuit.is_open() {
                        tracing::error!(target, reason = next.reason, "the target's circuit is open");
                    }
                    if row.circuit.is_open() && !circuit.is_open() {
                        tracing::info!(target, "the target's circuit is closed");
                    }
                    let turned = circuit.open_until != row.circuit.open_until;
                    return Ok(Told { circuit, turned });
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        // Many failed at once, and have said so.
        let circuit = self.get(target).await?.circuit;
        Ok(Told {
            circuit,
            turned: false,
        })
    }
}
