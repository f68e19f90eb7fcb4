//! Every bound of the engine, in one place. A bound is part of the contract: what is over it is
//! refused with its name, never truncated.

/// Longest flag, segment, environment or variant key, in bytes.
pub const KEY_BYTES_MAX: usize = 128;
/// Longest `when` expression, in bytes of its source text.
pub const EXPRESSION_BYTES_MAX: usize = 16 * 1024;
/// Deepest nesting of a `when` expression (parentheses and `not`).
pub const EXPRESSION_DEPTH_MAX: usize = 32;
/// Most predicates in one `when` expression.
pub const EXPRESSION_PREDICATES_MAX: usize = 512;
/// Most literals in one `in [...]` list.
pub const LIST_ITEMS_MAX: usize = 2_000;
/// Longest regular expression, in bytes.
pub const REGEX_BYTES_MAX: usize = 1_024;
/// Largest compiled regular expression, in bytes.
pub const REGEX_COMPILED_BYTES_MAX: usize = 256 * 1024;
/// Longest context value a regular expression or a version comparison looks at, in bytes; a longer
/// one makes the predicate unknown.
pub const MATCHED_TEXT_BYTES_MAX: usize = 4 * 1024;
/// Most rules of one flag in one environment.
pub const RULES_MAX: usize = 500;
/// Most variants of one flag.
pub const VARIANTS_MAX: usize = 100;
/// Largest variant value, in bytes of its JSON text.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Most prerequisites of one flag in one environment.
pub const PREREQUISITES_MAX: usize = 20;
/// Deepest chain of prerequisites; cycles are refused when written, and this bound guards
/// evaluation all the same.
pub const PREREQUISITE_DEPTH_MAX: usize = 16;
/// Deepest chain of segments that refer to segments.
pub const SEGMENT_DEPTH_MAX: usize = 8;
/// Most units listed by name in one segment.
pub const SEGMENT_UNITS_MAX: usize = 100_000;
/// Longest unit (targeting key), in bytes; a longer one counts as absent.
pub const UNIT_BYTES_MAX: usize = 1_024;
/// Most attributes of one context.
pub const CONTEXT_ATTRIBUTES_MAX: usize = 256;
/// Deepest nesting of one context attribute.
pub const CONTEXT_DEPTH_MAX: usize = 16;
/// Most prerequisites visited in one evaluation, over all levels; beyond it they count as a circle.
pub const PREREQUISITE_VISITS_MAX: u32 = 256;
/// Most segment conditions asked in one evaluation, over all levels; beyond it they are unknown.
pub const SEGMENT_VISITS_MAX: u32 = 4_096;
/// Longest rule id or salt, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Most other histories of which a follower remembers where it left them.
pub const HISTORIES_LEFT_MAX: usize = 8;
