//! Flags, rules and segments.

use leverframe_wire::admin::{
    AddRule, Flag, FlagList, MoveRule, PutFlag, PutSegment, Receipt, Removal, Segment, SegmentList,
};
use reqwest::Method;

use super::Attempt;
use super::call::Call;
use super::client::Client;
use super::error::ApiError;

/// Which flags to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct FlagFilter {
    pub(crate) text: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) archived: bool,
}

impl Client {
    pub(crate) async fn flag(&self, key: &str) -> Result<Flag, ApiError> {
        self.send(Call::get(&["flags", key])).await
    }

    /// Every flag that meets `filter`, over all pages.
    pub(crate) async fn flags(&self, filter: &FlagFilter) -> Result<Vec<Flag>, ApiError> {
        let mut flags = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut call = Call::get(&["flags"])
                .with_some("q", filter.text.as_deref())
                .with_some("owner", filter.owner.as_deref())
                .with_some("tag", filter.tag.as_deref())
                .with_some("kind", filter.kind.as_deref())
                .with_some("after", after.as_deref());
            if filter.archived {
                call = call.with("archived", "true");
            }
            let page: FlagList = self.send(call).await?;
            flags.extend(page.flags);
            // A cursor that does not move would page for ever.
            if page.next.is_none() || page.next == after {
                return Ok(flags);
            }
            after = page.next;
        }
    }

    pub(crate) async fn create_flag(
        &self,
        flag: &PutFlag,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        self.send(Call::send(Method::POST, &["flags"], flag, attempt)?)
            .await
    }

    pub(crate) async fn put_flag(
        &self,
        flag: &PutFlag,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["flags", &flag.definition.key];
        self.send(Call::send(Method::PUT, &parts, flag, attempt)?)
            .await
    }

    pub(crate) async fn archive_flag(
        &self,
        key: &str,
        removal: &Removal,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        self.send(Call::send(
            Method::DELETE,
            &["flags", key],
            removal,
            attempt,
        )?)
        .await
    }

    pub(crate) async fn add_rule(
        &self,
        flag: &str,
        environment: &str,
        rule: &AddRule,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["flags", flag, "environments", environment, "rules"];
        self.send(Call::send(Method::POST, &parts, rule, attempt)?)
            .await
    }

    pub(crate) async fn remove_rule(
        &self,
        flag: &str,
        environment: &str,
        rule: &str,
        removal: &Removal,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["flags", flag, "environments", environment, "rules", rule];
        self.send(Call::send(Method::DELETE, &parts, removal, attempt)?)
            .await
    }

    pub(crate) async fn move_rule(
        &self,
        flag: &str,
        environment: &str,
        rule: &str,
        to: &MoveRule,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = [
            "flags",
            flag,
            "environments",
            environment,
            "rules",
            rule,
            "move",
        ];
        self.send(Call::send(Method::POST, &parts, to, attempt)?)
            .await
    }

    pub(crate) async fn segment(&self, key: &str) -> Result<Segment, ApiError> {
        self.send(Call::get(&["segments", key])).await
    }

    /// Every segment whose key holds `text`, over all pages.
    pub(crate) async fn segments(&self, text: Option<&str>) -> Result<Vec<Segment>, ApiError> {
        let mut segments = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let call = Call::get(&["segments"])
                .with_some("q", text)
                .with_some("after", after.as_deref());
            let page: SegmentList = self.send(call).await?;
            segments.extend(page.segments);
            if page.next.is_none() || page.next == after {
                return Ok(segments);
            }
            after = page.next;
        }
    }

    pub(crate) async fn create_segment(
        &self,
        segment: &PutSegment,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        self.send(Call::send(Method::POST, &["segments"], segment, attempt)?)
            .await
    }

    pub(crate) async fn put_segment(
        &self,
        segment: &PutSegment,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        let parts = ["segments", &segment.definition.key];
        self.send(Call::send(Method::PUT, &parts, segment, attempt)?)
            .await
    }

    pub(crate) async fn delete_segment(
        &self,
        key: &str,
        removal: &Removal,
        attempt: Attempt,
    ) -> Result<Receipt, ApiError> {
        self.send(Call::send(
            Method::DELETE,
            &["segments", key],
            removal,
            attempt,
        )?)
        .await
    }
}
