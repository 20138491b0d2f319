//! How large DynamoDB takes an item to be.

use serde_json::Value;

/// The size of an item in bytes, by what AWS's documentation says of each type: its attributes' names and values.
#[must_use]
pub(crate) fn item_size(item: &Value) -> f64 {
    let of_one = |(name, value): (&String, &Value)| length(name) + value_size(value);
    item.as_object().into_iter().flatten().map(of_one).sum()
}

fn value_size(value: &Value) -> f64 {
    let Some((kind, inner)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return 0.0;
    };
    let text = || length(inner.as_str().unwrap_or_default());
    match kind.as_str() {
        "S" => text(),
        // Two digits are a byte, and there is one more.
        "N" => (text() / 2.0).ceil() + 1.0,
        "B" => text() * 0.75,
        "M" => item_size(inner) + 3.0,
        "L" => {
            let members = inner.as_array().into_iter().flatten();
            members.map(|one| value_size(one) + 1.0).sum::<f64>() + 3.0
        }
        _ => 1.0,
    }
}

fn length(text: &str) -> f64 {
    f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_values_count() {
        for (item, size) in [
            (json!({}), 0.0),
            (json!({ "pk": { "S": "abc" } }), 5.0),
            (json!({ "n": { "N": "1234" } }), 4.0),
            (json!({ "yes": { "BOOL": true } }), 4.0),
            (json!({ "l": { "L": [{ "S": "ab" }] } }), 7.0),
            (json!({ "m": { "M": { "a": { "S": "b" } } } }), 6.0),
        ] {
            assert!(
                (item_size(&item) - size).abs() < 0.01,
                "{item}: {}",
                item_size(&item)
            );
        }
    }
}
