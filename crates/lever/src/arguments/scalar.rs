//! Single words of the command line: keys, percentages, revisions, what to serve.

use leverframe_flags::{
    EnvironmentKey, Expression, FlagKey, KeyError, Percentage, SegmentKey, VariantKey,
};
use leverframe_wire::admin::{Arm, Serve};

/// Reads the key of a flag.
pub(crate) fn flag_key(text: &str) -> Result<String, KeyError> {
    FlagKey::new(text).map(|key| key.to_string())
}

/// Reads the key of a segment.
pub(crate) fn segment_key(text: &str) -> Result<String, KeyError> {
    SegmentKey::new(text).map(|key| key.to_string())
}

/// Reads the key of a plan, which is written as a flag's.
pub(crate) fn plan_key(text: &str) -> Result<String, KeyError> {
    flag_key(text)
}

/// Reads the name of an environment.
pub(crate) fn environment_key(text: &str) -> Result<String, KeyError> {
    EnvironmentKey::new(text).map(|key| key.to_string())
}

/// Reads the name of a variant.
pub(crate) fn variant_key(text: &str) -> Result<String, KeyError> {
    VariantKey::new(text).map(|key| key.to_string())
}

/// Reads `25%`, `25` or `0.125`, in per cent.
pub(crate) fn percentage(text: &str) -> Result<f64, String> {
    let percentage: Percentage = text.parse().map_err(|error| format!("{error}"))?;
    // Exact to print and read back: at most three decimals.
    Ok(f64::from(percentage.thousandths()) / 1_000.0)
}

/// Reads a condition, so that a slip is shown under the very character before anything is sent.
/// Prints it back as it was understood.
pub(crate) fn condition(text: &str) -> Result<String, String> {
    text.parse::<Expression>()
        .map(|expression| expression.to_string())
        .map_err(|error| format!("\n\n{}", error.render(text)))
}

/// Reads `r57` or `57`.
pub(crate) fn revision(text: &str) -> Result<u64, String> {
    text.strip_prefix('r')
        .unwrap_or(text)
        .parse()
        .map_err(|_| "a revision is written r57".to_owned())
}

/// Reads what contexts get: a variant, or a split such as `a=50,b=50`.
pub(crate) fn serve(text: &str) -> Result<Serve, String> {
    if !text.contains('=') {
        return variant_key(text)
            .map(Serve::Variant)
            .map_err(|error| error.to_string());
    }
    let mut arms: Vec<Arm> = Vec::new();
    let mut total = 0_u32;
    for part in text.split(',') {
        let (variant, weight) = part
            .split_once('=')
            .ok_or_else(|| format!("{part:?} lacks its share: write {part}=50"))?;
        let variant = variant_key(variant.trim()).map_err(|error| error.to_string())?;
        if arms.iter().any(|arm| arm.variant == variant) {
            return Err(format!("{variant} has two shares"));
        }
        let share: Percentage = weight.trim().parse().map_err(|error| format!("{error}"))?;
        total += share.thousandths();
        let weight = f64::from(share.thousandths()) / 1_000.0;
        arms.push(Arm { variant, weight });
    }
    if total != Percentage::FULL.thousandths() {
        return Err("the shares of a split add up to exactly 100".to_owned());
    }
    Ok(Serve::Split {
        split: arms,
        salt: String::new(),
    })
}

/// Reads `a,b,c`; blanks around the commas do not count.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_exact_or_refused() {
        assert_eq!(percentage("25%").unwrap(), 25.0);
        assert_eq!(percentage("0.125").unwrap(), 0.125);
        assert_eq!(percentage("33.333").unwrap(), 33.333);
        for text in ["101", "-1", "33.3333", "", "%", "a lot"] {
            assert!(percentage(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_slip_in_a_condition_is_shown_under_its_character() {
        assert_eq!(
            condition("plan==\"beta\"").unwrap(),
            r#"plan == "beta""#,
            "what is sent is what was understood"
        );
        let refusal = condition(r#"plan = "beta""#).unwrap_err();
        assert!(refusal.contains("plan = \"beta\"\n     ^\n"), "{refusal}");
    }

    #[test]
    fn a_revision_is_read_with_or_without_its_letter() {
        assert_eq!(revision("r57").unwrap(), 57);
        assert_eq!(revision("57").unwrap(), 57);
        assert!(revision("rr57").is_err());
        assert!(revision("r-1").is_err());
    }

    #[test]
    fn a_split_is_read_and_must_add_up() {
        assert_eq!(serve("on").unwrap(), Serve::Variant("on".to_owned()));
        let Serve::Split { split, salt } = serve("a=33.4, b=66.6%").unwrap() else {
            panic!("a split");
        };
        assert_eq!(salt, "");
        assert_eq!(split.len(), 2);
        assert_eq!(split.first().unwrap().weight, 33.4);
        for text in ["a=50,b=49", "a=50,a=50", "a=50,b", "a b", "a=50,=50"] {
            assert!(serve(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_that_would_leave_a_path_are_refused() {
        for text in ["..", "a/b", "", "a b", "%2e"] {
            assert!(flag_key(text).is_err(), "{text}");
        }
        assert_eq!(flag_key("new-checkout").unwrap(), "new-checkout");
    }
}
