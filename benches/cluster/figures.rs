//! Medians, percentiles, tables.

/// Of an odd number of runs, the one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// The value below which `percent` of all lie.
pub fn percentile(values: &mut [u128], percent: usize) -> f64 {
    values.sort_unstable();
    values[(values.len() - 1) * percent / 100] as f64
}

/// Smallest and largest.
pub fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// 12345.6 as 12,346.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A row of a table in Markdown.
pub fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}

pub fn head(cells: &[&str]) {
    println!("| {} |", cells.join(" | "));
    println!("|{}", " --- |".repeat(cells.len()));
}
