//! A rule set as a client keeps it on its disk. Any bytes are refused or unpacked; what is unpacked
//! is packed and unpacked again as the same, and answers.

use leverframe_flags::{Context, RuleSet};

pub fn check(bytes: &[u8]) {
    let Ok(rules) = RuleSet::unpack(bytes) else {
        return;
    };
    let again = rules.pack();
    let back = RuleSet::unpack(&again).expect("what is packed can be unpacked");
    assert_eq!(back.pack(), again, "it is packed the same again");
    assert_eq!(rules.revision(), back.revision());
    assert_eq!(rules.len(), back.len());
    let refused = |set: &RuleSet| -> Vec<String> {
        set.refused().map(|(flag, _)| flag.to_string()).collect()
    };
    assert_eq!(refused(&rules), refused(&back));
    for flag in rules.flags() {
        let key = flag.key.as_str();
        for context in [
            Context::anonymous(),
            Context::new("u-1").with("plan", "beta").at(1),
        ] {
            let one = rules.evaluate(key, &context).expect("the flag is there");
            let other = back.evaluate(key, &context).expect("the flag is there");
            assert_eq!(one, other, "{key}");
            let explained = rules.explain(key, &context).expect("the flag is there");
            assert_eq!(explained.variant, one.variant);
            if flag.position.is_closed() {
                assert_eq!(one.reason, leverframe_flags::Reason::Disabled);
            }
        }
    }
}
