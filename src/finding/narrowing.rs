//! Which uses are known well enough to limit an action to the resources that it was used on (S35).
//!
//! A resource that the records do not show would be taken away although it is in use. So every use of the action must be
//! recorded, with its resource: management events of a trail that was read in all Regions, data events only where the
//! user vouches that the trail records them for every resource, because event selectors can leave resources out.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Action;
use crate::policy::catalog::{Catalog, Observability};
use crate::policy::certificate::ObservedCall;
use crate::policy::comparison::Witness;
use crate::policy::evaluate::Resource;
use crate::policy::narrow::{KnownUses, is_narrowable};

/// S3 may use a key without a record of KMS for it (bucket keys), and so may others that cache data keys: who does not
/// see every object does not see every key.
const BEHIND_CACHES: [&str; 5] =
    ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"];
const OBJECTS: &str = "AWS::S3::Object";

/// The uses, action by action, that are known with all of their resources.
///
/// `chained` are roles that the role assumed by records of the other side alone.
#[must_use]
pub fn known_uses<'a>(
    calls: impl IntoIterator<Item = &'a ObservedCall>,
    chained: impl Iterator<Item = &'a str>,
    witness: &dyn Witness,
    catalog: &Catalog,
) -> KnownUses {
    let mut uses: BTreeMap<&Action, Option<BTreeSet<String>>> = BTreeMap::new();
    for call in calls.into_iter().filter(|call| is_narrowable(&call.action)) {
        let known = uses.entry(&call.action).or_insert_with(|| Some(BTreeSet::new()));
        match (&call.resource, known.as_mut()) {
            (Resource::Known(arn), Some(known)) if arn != "*" => drop(known.insert(arn.clone())),
            _ => *known = None,
        }
    }
    let recorded = |action: &Action| is_fully_recorded(action, witness, catalog);
    let whole = uses.into_iter().filter(|(action, _)| recorded(action));
    let mut uses: KnownUses = whole.filter_map(|(action, arns)| Some((action.clone(), arns?))).collect();
    let assume = uses.iter_mut().find(|(action, _)| action.as_str().eq_ignore_ascii_case("sts:AssumeRole"));
    if let Some((_, roles)) = assume {
        roles.extend(chained.map(str::to_owned));
    }
    uses
}

fn is_fully_recorded(action: &Action, witness: &dyn Witness, catalog: &Catalog) -> bool {
    let Some(info) = catalog.get(action) else { return false };
    if BEHIND_CACHES.iter().any(|name| action.as_str().eq_ignore_ascii_case(name)) && !witness.is_vouched(OBJECTS) {
        return false;
    }
    match info.observability {
        Observability::Data => {
            let types = catalog.data_event_types(action);
            !types.is_empty() && types.iter().all(|kind| witness.is_vouched(kind))
        }
        Observability::ManagementConfirmed | Observability::ManagementSeen => witness.records_management(info).is_ok(),
        // A role is also passed by calls that do not name it, such as the start of a task that somebody else defined.
        Observability::PermissionOnly | Observability::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::catalog::ActionInfo;
    use crate::policy::context::Context;

    #[derive(Clone)]
    struct Trail {
        management: Result<(), String>,
        vouched: Vec<&'static str>,
    }

    impl Witness for Trail {
        fn has_seen(&self, _: &ActionInfo) -> bool {
            true
        }

        fn records_data(&self, _: &ActionInfo) -> Result<String, String> {
            Ok("seen".to_owned())
        }

        fn records_management(&self, _: &ActionInfo) -> Result<(), String> {
            self.management.clone()
        }

        fn is_vouched(&self, resource_type: &str) -> bool {
            self.vouched.contains(&resource_type)
        }
    }

    fn trail(management: Result<(), String>) -> Trail {
        Trail { management, vouched: Vec::new() }
    }

    fn call(action: &str, resource: Option<&str>) -> ObservedCall {
        ObservedCall {
            action: Action::parse(action).unwrap(),
            resource: resource.map_or(Resource::Unknown, |arn| Resource::Known(arn.to_owned())),
            context: Context::partial(),
            id: String::new(),
        }
    }

    fn known(calls: &[ObservedCall], vouched: &[&'static str], trail: &Trail) -> Vec<String> {
        let trail = Trail { vouched: vouched.to_vec(), ..trail.clone() };
        let chained = ["arn:aws:iam::111122223333:role/Chained"].into_iter();
        let uses = known_uses(calls, chained, &trail, Catalog::builtin());
        uses.into_iter().map(|(action, arns)| format!("{action} {}", Vec::from_iter(arns).join(" "))).collect()
    }

    /// S35: one call whose resource is not known leaves the action alone.
    #[test]
    fn every_use_must_show_its_resource() {
        let sound = trail(Ok(()));
        let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
        let start = call("ec2:StopInstances", Some(instance));
        assert_eq!(known(std::slice::from_ref(&start), &[], &sound), [format!("ec2:StopInstances {instance}")]);
        assert!(known(&[start.clone(), call("ec2:StopInstances", None)], &[], &sound).is_empty());
        assert!(known(&[call("ec2:StopInstances", None), start.clone()], &[], &sound).is_empty());
        assert!(known(&[start.clone(), call("ec2:StopInstances", Some("*"))], &[], &sound).is_empty());
        assert!(known(&[start], &[], &trail(Err("one Region only".to_owned()))).is_empty());
        assert!(known(&[call("iam:PassRole", Some("arn:aws:iam::111122223333:role/Runner"))], &[], &sound).is_empty());
        assert!(known(&[call("ec2:ModifyVolume", Some(instance))], &[], &sound).is_empty());
    }

    /// S35: data events are trusted only on the user's word, and keys behind caches with them.
    #[test]
    fn data_events_need_the_users_word() {
        let sound = trail(Ok(()));
        let get = [call("s3:GetObject", Some("arn:aws:s3:::b/k"))];
        assert!(known(&get, &[], &sound).is_empty());
        // An access point is another way to the same object.
        assert!(known(&get, &["AWS::S3::Object"], &sound).is_empty());
        assert_eq!(known(&get, &["AWS::S3::Object", "AWS::S3::AccessPoint"], &sound).len(), 1);
        let key = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-00000000ffff";
        let decrypt = [call("kms:Decrypt", Some(key))];
        assert!(known(&decrypt, &[], &sound).is_empty());
        assert_eq!(known(&decrypt, &["AWS::S3::Object"], &sound).len(), 1);
        assert_eq!(known(&[call("kms:DescribeKey", Some(key))], &[], &sound).len(), 1);
    }

    /// S11, S35: a chain that only the other side recorded is a use, too.
    #[test]
    fn chains_recorded_elsewhere_count() {
        let assume = [call("sts:AssumeRole", Some("arn:aws:iam::111122223333:role/Seen"))];
        assert_eq!(
            known(&assume, &[], &trail(Ok(()))),
            ["sts:AssumeRole arn:aws:iam::111122223333:role/Chained arn:aws:iam::111122223333:role/Seen"]
        );
    }
}
