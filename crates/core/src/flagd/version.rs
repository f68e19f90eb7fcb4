//! `sem_ver`: semantic versions, read as leniently as flagd reads them.

use leverframe_flags::{Comparison, Expr, Pattern, Test};
use semver::{BuildMetadata, Prerelease, Version};

use super::compare::{flipped, missing, opposite, over};
use super::node::{Operation, Reader};
use super::operand::{Attribute, Operand};
use super::refusal::Refused;
use super::scalar::Scalar;

/// What every engine takes for a version; anything else makes `sem_ver` null.
const VERSION: &str = "^[vV]?([0-9]{1,15}|[0-9]{1,15}\\.[0-9]{1,15}|\
    (0|[1-9][0-9]{0,14})\\.(0|[1-9][0-9]{0,14})\\.(0|[1-9][0-9]{0,14})\
    (-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?\
    (\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?)$";

/// A `sem_ver`, read.
pub(super) struct VersionTest {
    attribute: Attribute,
    /// All of these.
    bounds: Vec<(Comparison, Version)>,
}

impl<'d> Reader<'d> {
    pub(super) fn version_test(
        &mut self,
        operation: &Operation<'d>,
    ) -> Result<VersionTest, Refused> {
        let [left, sign, right] = operation.exactly::<3>()?.clone();
        let sign = self.operand(&sign, operation)?;
        let Operand::Constant(Scalar::Text(sign)) = sign else {
            return Err(operation.refused("the comparison is a constant text such as \">=\""));
        };
        let (attribute, constant, is_flipped) = match (
            self.operand(&left, operation)?,
            self.operand(&right, operation)?,
        ) {
            (Operand::Attribute(attribute), Operand::Constant(constant)) => {
                (attribute, constant, false)
            }
            (Operand::Constant(constant), Operand::Attribute(attribute)) => {
                (attribute, constant, true)
            }
            _ => {
                return Err(operation.refused("compares one attribute with one constant version"));
            }
        };
        if attribute.missing != Scalar::Null {
            return Err(operation.refused("a default in a version comparison cannot be kept"));
        }
        let text = constant.to_text().unwrap_or_default();
        let version = version(&text).ok_or_else(|| {
            operation.refused(format!(
                "{text:?} is not a semantic version, so this is never true"
            ))
        })?;
        let comparison = |name: &str| {
            Some(match name {
                "=" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                _ => return None,
            })
        };
        let bounds = match (sign.as_str(), comparison(&sign)) {
            (_, Some(comparison)) => {
                let comparison = if is_flipped {
                    flipped(comparison)
                } else {
                    comparison
                };
                vec![(comparison, version)]
            }
            ("^", None) => between(
                first(version.major, 0),
                version.major.checked_add(1).map(|next| first(next, 0)),
            ),
            ("~", None) => between(
                first(version.major, version.minor),
                version
                    .minor
                    .checked_add(1)
                    .map(|next| first(version.major, next)),
            ),
            (other, None) => {
                return Err(operation.refused(format!("there is no version comparison {other:?}")));
            }
        };
        Ok(VersionTest { attribute, bounds })
    }
}

impl VersionTest {
    /// True exactly when it is true.
    pub(super) fn holds(&self) -> Expr {
        Expr::all(self.bounds.iter().map(|bound| self.test(bound)).collect())
    }

    /// True exactly when it is false, which it is only of a version.
    pub(super) fn fails(&self) -> Expr {
        Expr::any(
            self.bounds
                .iter()
                .map(|(comparison, version)| self.test(&(opposite(*comparison), version.clone())))
                .collect(),
        )
    }

    /// True exactly when it is not true: false, or null because there is no version to compare.
    pub(super) fn is_not_true(&self) -> Expr {
        let subject = &self.attribute.subject;
        let mut parts = vec![missing(subject), self.fails()];
        // Always compiles; a test asks it.
        if let Ok(pattern) = Pattern::new(VERSION) {
            parts.push(Expr::not(Expr::test(
                subject.clone(),
                Test::Matches(pattern),
            )));
        }
        over(&self.attribute, false, true, parts)
    }

    fn test(&self, (comparison, version): &(Comparison, Version)) -> Expr {
        Expr::test(
            self.attribute.subject.clone(),
            Test::Version(*comparison, version.clone()),
        )
    }
}

/// The very first version of a major and minor: `2.4.0-0` is before every pre-release.
fn first(major: u64, minor: u64) -> Version {
    Version {
        pre: Prerelease::new("0").unwrap_or(Prerelease::EMPTY),
        ..Version::new(major, minor, 0)
    }
}

fn between(from: Version, below: Option<Version>) -> Vec<(Comparison, Version)> {
    let mut bounds = vec![(Comparison::GreaterOrEqual, from)];
    bounds.extend(below.map(|below| (Comparison::Less, below)));
    bounds
}

/// Reads `v2.4`, as the engine does with an attribute. Build metadata is never compared.
fn version(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    if let Ok(version) = Version::parse(text) {
        return Some(Version {
            build: BuildMetadata::EMPTY,
            ..version
        });
    }
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let part = |digits: &str| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?
    };
    Some(Version::new(part(major)?, part(minor)?, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_of_a_version_is_one() {
        assert!(Pattern::new(VERSION).is_ok());
    }
}
