//! What goes and has no tenant: a hold on tenants is no hold on that, which whoever placed it should know.

use super::{Item, Planner};
use crate::decide::Decision;
use crate::plan::summary::{Disposal, removes};
use crate::policy::{Hold, Select};

impl Planner<'_> {
    /// Counts what is removed without a tenant.
    pub(super) fn count_without_tenant(
        &mut self,
        bucket: &str,
        item: &Item,
        decision: &Decision,
        disposal: Option<Disposal>,
    ) {
        if !removes(disposal) || decision.tenant.is_some() {
            return;
        }
        match self.without_tenant.get_mut(bucket) {
            Some(without_tenant) => without_tenant.add(item.size, decision.due),
            None => self.without_tenant.entry(bucket.to_owned()).or_default().add(item.size, decision.due),
        }
    }

    /// What is to be known of a bucket where a hold is on all that is certain tenants', in words. Only there
    /// does what is expired without a tenant have none for certain: else it may not have been looked up.
    pub fn warn_of_no_tenant(&self, bucket: &str) -> Option<String> {
        let without_tenant = self.without_tenant.get(bucket)?;
        let is_on_tenants = |hold: &Hold| match &hold.select {
            Select {
                buckets,
                tenants: Some(_),
                prefix: None,
                key: None,
                media: None,
                content_type: None,
                size: None,
                tags,
                metadata,
                except,
            } => {
                let is_there = buckets.is_empty() || buckets.iter().any(|pattern| pattern.matches(bucket));
                is_there && tags.is_empty() && metadata.is_empty() && except.is_empty()
            }
            _ => false,
        };
        let zone = self.policy.timezone;
        let is_held = |hold: &Hold| is_on_tenants(hold) && hold.in_force(self.now, zone);
        self.policy.holds.iter().any(is_held).then(|| {
            format!(
                "what goes includes {} without a tenant, which no hold on tenants keeps; hold it by prefix \
                 or key, or add a tenant source that names one",
                without_tenant.words()
            )
        })
    }
}
