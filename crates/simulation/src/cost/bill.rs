//! Counts times prices, as tables.

use super::measure::Measured;
use super::prices::{self, Price};
use crate::template;
use std::collections::BTreeMap;
use std::fmt::Write;

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// How many files of 1 GiB are a TiB.
const LARGE_FILES: f64 = 1024.0;
const MILLION: f64 = 1e6;
/// A month, in hours.
const MONTH: f64 = 730.0;
/// Lambda asks each queue for messages by this many connections at least, even when there are none (AWS's documentation of event
/// source mappings), and each time waits for 20 seconds.
const POLLERS: f64 = 5.0;
const POLLS_PER_HOUR: f64 = 180.0;
/// The queues that Lambda asks.
const QUEUES: f64 = 2.0;

/// What is priced, in the order of the table.
const LINES: [Price; 11] = [
    prices::API,
    prices::LAMBDA,
    prices::LAMBDA_TIME,
    prices::WRITE_UNIT,
    prices::READ_UNIT,
    prices::S3_PUT,
    prices::S3_GET,
    prices::SQS,
    prices::SQS_BY_LAMBDA,
    prices::SECRETS,
    prices::EGRESS,
];

/// How much of something one file takes.
#[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
fn quantity(measured: &Measured, price: &Price, leaves: bool) -> f64 {
    let counts = &measured.counts;
    let functions = || counts.functions.values();
    let all = match price.what {
        what if what == prices::LAMBDA.what => functions().map(|it| it.requests as f64).sum(),
        what if what == prices::LAMBDA_TIME.what => functions().map(|it| it.gib_seconds).sum(),
        what if what == prices::WRITE_UNIT.what => counts.write_units,
        what if what == prices::READ_UNIT.what => counts.read_units,
        what if what == prices::EGRESS.what && leaves => measured.bytes * measured.of / GIB,
        _ => {
            let of_it = counts
                .requests
                .iter()
                .filter(|(operation, _)| prices::of_request(operation).is_some_and(|its| its == *price));
            of_it.map(|(_, count)| *count as f64).sum()
        }
    };
    // No sum of nothing is less than nothing.
    all / measured.of + 0.0
}

/// Each line of what files cost, and the sum.
pub(super) fn costs(small: &Measured, large: &Measured, deletes: &Measured) -> String {
    let mut text = "| | dollars | a file of 10 KiB | a million, dollars | a file of 1 GiB | a TiB, dollars | a delete | a million, dollars |\n\
                    |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let columns = [
        (small, true, MILLION),
        (large, true, LARGE_FILES),
        (deletes, false, MILLION),
    ];
    let mut sums = [0.0; 3];
    for price in &LINES {
        let _ = write!(text, "| {} | {} |", price.what, price.said);
        for ((measured, leaves, files), sum) in columns.iter().zip(&mut sums) {
            let quantity = quantity(measured, price, *leaves);
            let dollars = quantity * price.dollars * files;
            let _ = write!(text, " {} | {dollars:.2} |", number(quantity));
            *sum += dollars;
        }
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "| **together** | | | **{:.2}** | | **{:.2}** | | **{:.2}** |",
        sums[0], sums[1], sums[2]
    );
    text
}

/// What a month costs.
pub(super) fn month(small: &Measured, large: &Measured, rest: &Measured) -> String {
    let mut text = "| | dollars a month |\n|---|---|\n".to_owned();
    let mut line = |what: &str, dollars: f64| {
        let _ = writeln!(text, "| {what} | {dollars:.2} |");
    };
    let storage = |measured: &Measured, files: f64| {
        let bytes = measured.bytes * files / GIB * prices::S3_MONTH.dollars;
        (bytes, measured.kept * files / GIB * prices::TABLE_MONTH.dollars)
    };
    let (bytes, rows) = storage(small, MILLION);
    line("a million files of 10 KiB in S3", bytes);
    line(
        &format!(
            "their rows, {} bytes for each, without indexes",
            number(small.kept.round())
        ),
        rows,
    );
    let (bytes, rows) = storage(large, LARGE_FILES);
    line("a TiB in S3", bytes);
    line("the rows of its 1,024 files", rows);
    let rest = LINES
        .iter()
        .map(|price| quantity(rest, price, false) * price.dollars);
    line(
        "a stack at rest: the sweep each minute, the reconciler each 15",
        rest.sum::<f64>() * MONTH,
    );
    let polls = POLLERS * POLLS_PER_HOUR * QUEUES * MONTH;
    line(
        "a stack at rest: Lambda asking the two queues, by five connections each",
        polls * prices::SQS.dollars,
    );
    let secrets = template::count("AWS::SecretsManager::Secret");
    line(
        &format!("the {secrets} secrets"),
        f64::from(secrets) * prices::SECRET_MONTH.dollars,
    );
    let alarms = template::count("AWS::CloudWatch::Alarm");
    line(
        &format!("the {alarms} alarms"),
        f64::from(alarms) * prices::ALARM_MONTH.dollars,
    );
    text
}

/// How often each operation and each function is asked for.
#[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
pub(super) fn requests(small: &Measured, large: &Measured, deletes: &Measured) -> String {
    let mut rows: BTreeMap<String, [f64; 3]> = BTreeMap::new();
    for (index, measured) in [small, large, deletes].into_iter().enumerate() {
        let counts = &measured.counts;
        let requests = counts.requests.iter().map(|(name, count)| (name.clone(), *count));
        let functions = counts
            .functions
            .iter()
            .map(|(name, invoked)| (format!("Lambda `{name}`"), invoked.requests));
        for (name, count) in requests.chain(functions) {
            let row = rows.entry(name).or_default();
            if let Some(cell) = row.get_mut(index) {
                *cell = count as f64 / measured.of;
            }
        }
    }
    let mut text = "| | a file of 10 KiB | a file of 1 GiB | a delete |\n|---|---|---|---|\n".to_owned();
    for (name, cells) in rows {
        let cells = cells.map(number);
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text
}

/// A number as it is read: with two digits after the point at most; small ones with the digits that they have.
fn number(value: f64) -> String {
    let text = if value.abs() < 0.01 {
        format!("{value:.6}")
    } else {
        format!("{value:.2}")
    };
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short.is_empty() || short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (3.0, "3"),
            (44.65, "44.65"),
            (0.05, "0.05"),
            (0.0001, "0.0001"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn every_request_of_a_service_has_a_price() {
        for (operation, price) in [
            ("S3 ListParts", Some(prices::S3_PUT)),
            ("S3 HeadObject", Some(prices::S3_GET)),
            ("S3 DeleteObject", None),
            ("SQS SendMessageBatch", Some(prices::SQS)),
            ("SQS ReceiveMessage by Lambda", Some(prices::SQS_BY_LAMBDA)),
            (crate::lambda::API_REQUEST, Some(prices::API)),
            ("DynamoDB GetItem", None),
        ] {
            assert_eq!(prices::of_request(operation), price, "{operation}");
        }
    }
}
