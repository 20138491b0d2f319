//! What Longshore costs on AWS: what is asked for is counted here, and priced by AWS's list. `cargo xtask cost`.
//!
//! | module | what is in it |
//! |---|---|
//! | [`prices`] | AWS's prices, with their source |
//! | [`measure`] | what is counted: small files, a large one, deletes, a stack at rest |
//! | [`bill`] | counts times prices, as tables |

pub mod bill;
pub mod measure;
pub mod prices;

use std::fmt::Write;

/// All of it, as `docs/costs.md` has it.
#[must_use]
pub fn document() -> String {
    let (small, deletes) = measure::small_files();
    let large = measure::large_file();
    let rest = measure::rest();
    let mut text = String::new();
    let _ = writeln!(text, "{}", bill::costs(&small, &large, &deletes));
    let _ = writeln!(text, "What a month costs, whatever is asked for:\n");
    let _ = writeln!(text, "{}", bill::month(&small, &large, &rest));
    let _ = writeln!(text, "The requests behind these numbers:\n");
    let _ = write!(text, "{}", bill::requests(&small, &large, &deletes));
    text
}
