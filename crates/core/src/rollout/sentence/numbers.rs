//! Numbers as people read them.

/// A rate from 0 to 1 as a percentage, to two figures that matter.
pub(in crate::rollout) fn percent(rate: f64) -> String {
    let percent = 100.0 * rate;
    let text = match percent {
        p if p <= 0.0 => "0".to_owned(),
        p if p < 0.01 => format!("{p:.4}"),
        p if p < 1.0 => format!("{p:.2}"),
        p if p < 10.0 => format!("{p:.1}"),
        p => format!("{p:.0}"),
    };
    format!("{text} %")
}

/// A count, its thousands apart.
pub(in crate::rollout) fn whole(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A ratio, such as `1.2×`.
pub(in crate::rollout) fn times(ratio: f64) -> String {
    if ratio >= 10.0 {
        return format!("{ratio:.0}×");
    }
    let text = format!("{ratio:.1}");
    format!("{}×", text.strip_suffix(".0").unwrap_or(&text))
}

/// A span of time, such as `2 h 30 min`; below a minute in seconds.
pub(in crate::rollout) fn span(ms: i64) -> String {
    let seconds = ms.max(0).saturating_add(999) / 1_000;
    match (seconds / 3_600, (seconds % 3_600) / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) if minutes < 5 => format!("{minutes} min {seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_what_matters() {
        let rates = [0.0, 0.000_012, 0.003_1, 0.041, 0.123, 1.0].map(percent);
        assert_eq!(
            rates,
            ["0 %", "0.0012 %", "0.31 %", "4.1 %", "12 %", "100 %"]
        );
        assert_eq!(
            [7, 1_900, 1_234_567].map(whole),
            ["7", "1 900", "1 234 567"]
        );
        assert_eq!([1.2, 2.0, 18.4].map(times), ["1.2×", "2×", "18×"]);
        let spans = [900, 90_000, 600_000, 9_000_000, 7_200_000].map(span);
        assert_eq!(spans, ["1 s", "1 min 30 s", "10 min", "2 h 30 min", "2 h"]);
    }
}
