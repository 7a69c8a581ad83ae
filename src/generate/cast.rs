//! The cast: own accounts, outside parties, roles and users with their ids, drawn once from the options.

use super::apis::{self, Api};
use super::clock::{DAY, date_text};
use super::options::{Options, Size};
use super::rng::Rng;
use super::templates::{External, External::Word};
use super::templates::{
    MORE_CHANNELS, MORE_VENDORS, Outcome, PLAIN, SECOND_PARTY, Situation, TEMPLATES, Template, Trust, VENDOR_USER,
};

/// Who stands behind calls.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    /// Account id, ARN, service name, or `unresolved`.
    pub(crate) id: String,
    /// The id that a report gives it, where that is another: provider and subject (S13).
    pub(crate) reported: Option<String>,
    /// `vendor`, `unknown_account`, `identity_provider`, `iam_user`, `own_organization`, `aws_service`, `unresolved`.
    pub(crate) kind: &'static str,
    /// Public name; empty for none.
    pub(crate) name: String,
    /// An outsider.
    pub(crate) third_party: bool,
}

/// One call that a principal makes: position in the table, API, outcome, relative weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallKind {
    pub(crate) api: usize,
    pub(crate) entry: &'static Api,
    pub(crate) outcome: Outcome,
    pub(crate) weight: u32,
}

/// A role of an own account.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// Position in [`Cast::roles`].
    pub(crate) index: usize,
    /// Position of the account.
    pub(crate) account: usize,
    pub(crate) name: String,
    pub(crate) template: Option<&'static Template>,
    pub(crate) workload: Option<Workload>,
    pub(crate) arn: String,
    pub(crate) role_id: String,
    /// In the inventory; the deleted generation of a re-created role is not.
    pub(crate) exists: bool,
    /// Seconds since 1970.
    pub(crate) created: i64,
    /// Parties that the trust admits (positions), in the trust's order.
    pub(crate) parties: Vec<usize>,
    pub(crate) external_id: Option<String>,
    pub(crate) calls: Vec<CallKind>,
    /// `IdleBefore`: last use by IAM's account, before the window.
    pub(crate) used_before: Option<i64>,
}

/// How an own role is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Workload {
    /// By an AWS service.
    Service(&'static str),
    /// By a person, through IAM Identity Center.
    SingleSignOn,
}

/// An IAM user with one long-lived key.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) account: usize,
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) user_id: String,
    pub(crate) key_id: String,
    pub(crate) party: usize,
    pub(crate) calls: Vec<CallKind>,
}

/// Everybody.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) accounts: Vec<String>,
    pub(crate) parties: Vec<Party>,
    pub(crate) roles: Vec<Role>,
    pub(crate) users: Vec<User>,
    /// First second of the window.
    pub(crate) since: i64,
    /// First second after the window.
    pub(crate) until: i64,
    /// When the re-created role is created again.
    pub(crate) recreated_at: i64,
    /// Regions in which things happen all the time.
    pub(crate) busy_regions: Vec<String>,
    pub(crate) quiet_region: Option<String>,
    /// Records to make, as far as the options say it in records.
    pub(crate) records: f64,
}

const WORKLOADS: [(&str, &str, Workload, &[&str]); 4] = [
    (
        "nightly-report",
        "/service-role/",
        Workload::Service("lambda.amazonaws.com"),
        &["logs:CreateLogStream", "secretsmanager:GetSecretValue", "dynamodb:DescribeTable", "kms:Decrypt"],
    ),
    (
        "web-server",
        "/",
        Workload::Service("ec2.amazonaws.com"),
        &[
            "ssm:UpdateInstanceInformation",
            "ssm:UpdateInstanceInformation",
            "ec2:DescribeInstances",
            "ec2:DescribeTags",
        ],
    ),
    (
        "ecs-worker",
        "/",
        Workload::Service("ecs-tasks.amazonaws.com"),
        &["logs:CreateLogStream", "ecr:GetAuthorizationToken", "kms:GenerateDataKey", "s3:GetBucketLocation"],
    ),
    (
        "AWSReservedSSO_AdministratorAccess_",
        "/aws-reserved/sso.amazonaws.com/",
        Workload::SingleSignOn,
        &[
            "ec2:DescribeInstances",
            "ec2:DescribeSecurityGroups",
            "ec2:CreateTags",
            "iam:ListUsers",
            "s3:ListBuckets",
            "logs:DescribeLogGroups",
            "rds:DescribeDBSnapshots",
            "iam:ListPolicies",
            "iam:ListAccountAliases",
        ],
    ),
];

/// AWS services that call on their own account, without a role.
pub(crate) const SERVICES: [&str; 4] =
    ["lambda.amazonaws.com", "ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "cloudtrail.amazonaws.com"];

/// Whom GitHub's tokens speak of.
pub(crate) const GITHUB_SUBJECT: &str = "repo:acme/shop:ref:refs/heads/main";

/// Whom the contractors' identity provider speaks of.
pub(crate) const SAML_SUBJECT: &str = "pat@contractor.example";

fn plain_calls(names: &[&str]) -> Vec<CallKind> {
    let found = names.iter().filter_map(|name| apis::find(name));
    found.map(|(api, entry)| CallKind { api, entry, outcome: Outcome::Ok, weight: 1 }).collect()
}

fn template_calls(template: &Template) -> Vec<CallKind> {
    let known = template.calls.iter().filter_map(|(name, outcome, weight)| Some((apis::find(name)?, outcome, weight)));
    known.map(|((api, entry), outcome, weight)| CallKind { api, entry, outcome: *outcome, weight: *weight }).collect()
}

impl Cast {
    /// Draws the cast.
    pub(crate) fn new(options: &Options) -> Self {
        let mut rng = Rng::new(options.seed, "cast");
        let epoch = chrono::NaiveDate::default();
        let since = (options.since - epoch).num_days() * DAY;
        let until = since + i64::from(options.days) * DAY;
        let accounts = account_ids(options, &mut rng);
        let quiet = options.regions.len() > 2;
        let busy = options.regions.len() - usize::from(quiet);
        let records = match options.size {
            Size::Records(records) => records as f64,
            Size::Bytes(bytes) => bytes as f64 / 1_300.0,
        };
        let mut cast = Self {
            accounts,
            parties: vec![party("unresolved", "unresolved", "", true)],
            roles: Vec::new(),
            users: Vec::new(),
            since,
            until,
            recreated_at: since + i64::from(options.days) * 3 / 5 * DAY,
            busy_regions: options.regions.iter().take(busy).cloned().collect(),
            quiet_region: options.regions.last().filter(|_| quiet).cloned(),
            records,
        };
        for service in SERVICES {
            cast.party_index(party(service, "aws_service", service, false));
        }
        for template in TEMPLATES {
            cast.add_template(&mut rng, template, template.role.to_owned(), template.vendor);
        }
        let more = usize::try_from(options.vendors).unwrap_or(0).saturating_sub(17);
        for at in 0..more {
            let unknown = format!("{:012}", 600_000_000_000 + rng.below(99_999_999_999));
            let vendor = MORE_VENDORS.get(at).copied().unwrap_or((unknown.as_str(), ""));
            cast.add_template(&mut rng, &PLAIN, format!("Reader{:03}", at + 1), vendor);
        }
        if options.every_channel {
            // Drawn apart, so that the rest of the cast is the same with and without them.
            let mut rng = Rng::new(options.seed, "channels");
            for template in MORE_CHANNELS {
                cast.add_template(&mut rng, template, template.role.to_owned(), template.vendor);
            }
        }
        cast.add_workloads(&mut rng);
        cast.add_users(&mut rng);
        cast
    }

    /// Position of the party, added if it is new.
    fn party_index(&mut self, party: Party) -> usize {
        self.parties.iter().position(|known| known.id == party.id).unwrap_or_else(|| {
            self.parties.push(party);
            self.parties.len() - 1
        })
    }

    /// Position of the party of that id; 0 (`unresolved`) if there is none.
    pub(crate) fn party_of(&self, id: &str) -> usize {
        self.parties.iter().position(|known| known.id == id).unwrap_or(0)
    }

    /// The account's id.
    pub(crate) fn account(&self, at: usize) -> &str {
        self.accounts.get(at).map_or("000000000000", String::as_str)
    }

    fn outsiders(&mut self, template: &Template, account: usize, vendor: (&str, &str)) -> Vec<usize> {
        let outside = |(id, name): (&str, &str)| {
            party(id, if name.is_empty() { "unknown_account" } else { "vendor" }, name, true)
        };
        let id = self.account(account).to_owned();
        match template.trust {
            Trust::Vendor | Trust::VendorIfExists => vec![self.party_index(outside(vendor))],
            Trust::TwoVendors => {
                vec![self.party_index(outside(vendor)), self.party_index(outside(SECOND_PARTY))]
            }
            Trust::GitHub => {
                let arn = format!("arn:aws:iam::{id}:oidc-provider/token.actions.githubusercontent.com");
                let issuer = "token.actions.githubusercontent.com";
                let known = party(&arn, "identity_provider", "GitHub Actions", true);
                vec![self.party_index(Party { reported: Some(format!("{issuer}/{GITHUB_SUBJECT}")), ..known })]
            }
            Trust::Saml => {
                let arn = format!("arn:aws:iam::{id}:saml-provider/contractors");
                let known = party(&arn, "identity_provider", "contractors", true);
                vec![self.party_index(Party { reported: Some(format!("contractors/{SAML_SUBJECT}")), ..known })]
            }
            Trust::OwnOrganization => {
                let own = self.account(0).to_owned();
                let own = self.party_index(party(&own, "own_organization", "", false));
                if template.situation == Situation::Delegated {
                    self.party_index(outside(vendor));
                }
                vec![own]
            }
            Trust::Certificate(subject) => {
                let id = format!("rolesanywhere/{subject}");
                vec![self.party_index(party(&id, "identity_provider", "IAM Roles Anywhere", true))]
            }
            // Whoever holds the session before it in the chain.
            Trust::Chain(_) => Vec::new(),
        }
    }

    fn add_template(&mut self, rng: &mut Rng, template: &'static Template, name: String, vendor: (&str, &str)) {
        let homes = match template.home {
            Some(home) => home..home + 1,
            None => 0..self.accounts.len(),
        };
        for account in homes {
            let parties = self.outsiders(template, account, vendor);
            let drawn = rng.uuid_text();
            let external_id = match template.external_id {
                External::Absent => None,
                External::Uuid => Some(drawn),
                Word(word) => Some(word.to_owned()),
            };
            let recreated = template.situation == Situation::Recreated;
            let age = 200 + i64::try_from(rng.below(600)).unwrap_or(0);
            let long_ago = self.since - age * DAY + 37_000;
            let created = match template.situation {
                Situation::TooNew => self.until - 20 * DAY + 37_000,
                _ => long_ago,
            };
            self.push_role(rng, template, account, &name, &parties, external_id.clone(), (created, !recreated));
            if recreated {
                let again = self.recreated_at + 36_600;
                self.push_role(rng, template, account, &name, &parties, external_id, (again, true));
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one role, used in one place")]
    fn push_role(
        &mut self,
        rng: &mut Rng,
        template: &'static Template,
        account: usize,
        name: &str,
        parties: &[usize],
        external_id: Option<String>,
        (created, exists): (i64, bool),
    ) {
        let idle = template.situation == Situation::IdleBefore;
        self.roles.push(Role {
            index: self.roles.len(),
            account,
            name: name.to_owned(),
            template: Some(template),
            workload: None,
            arn: format!("arn:aws:iam::{}:role{}{name}", self.account(account), template.path),
            role_id: rng.id("AROA", 17),
            exists,
            created,
            parties: parties.to_vec(),
            external_id,
            calls: template_calls(template),
            used_before: idle.then(|| self.until - 140 * DAY + 5_000),
        });
    }

    fn add_workloads(&mut self, rng: &mut Rng) {
        for account in 0..self.accounts.len() {
            for (base, path, workload, calls) in WORKLOADS {
                let id = self.account(account).to_owned();
                let (name, provider) = match workload {
                    Workload::SingleSignOn => {
                        let suffix = rng.id("", 16).to_lowercase();
                        let arn = format!("arn:aws:iam::{id}:saml-provider/AWSSSO_{suffix}_DO_NOT_DELETE");
                        (format!("{base}{suffix}"), party(&arn, "identity_provider", "IAM Identity Center", false))
                    }
                    Workload::Service(service) => (base.to_owned(), party(service, "aws_service", service, false)),
                };
                let parties = vec![self.party_index(provider)];
                self.roles.push(Role {
                    index: self.roles.len(),
                    account,
                    arn: format!("arn:aws:iam::{id}:role{path}{name}"),
                    name,
                    template: None,
                    workload: Some(workload),
                    role_id: rng.id("AROA", 17),
                    exists: true,
                    created: self.since - 500 * DAY + 12_345,
                    parties,
                    external_id: None,
                    calls: plain_calls(calls),
                    used_before: None,
                });
            }
        }
    }

    fn add_users(&mut self, rng: &mut Rng) {
        const DEPLOYER: &[&str] = &["ec2:DescribeInstances", "ecr:DescribeRepositories", "cloudformation:ListStacks"];
        for account in 0..self.accounts.len() {
            let vendor = (account == 1).then_some(VENDOR_USER);
            for (name, calls) in [("ci-deployer", DEPLOYER)].into_iter().chain(vendor) {
                let arn = format!("arn:aws:iam::{}:user/{name}", self.account(account));
                let party = self.party_index(party(&arn, "iam_user", name, name != "ci-deployer"));
                let (user_id, key_id) = (rng.id("AIDA", 17), rng.id("AKIA", 16));
                let calls = plain_calls(calls);
                self.users.push(User { account, name: name.to_owned(), arn, user_id, key_id, party, calls });
            }
        }
    }

    /// The window's date `day` days after its first, as `yyyy-mm-dd`.
    pub(crate) fn date(&self, day: i64) -> String {
        date_text(self.since / DAY + day)
    }
}

fn party(id: &str, kind: &'static str, name: &str, third_party: bool) -> Party {
    Party { id: id.to_owned(), reported: None, kind, name: name.to_owned(), third_party }
}

fn account_ids(options: &Options, rng: &mut Rng) -> Vec<String> {
    let mut ids: Vec<String> = ["012345678901", "210987654321", "333344445555"].map(str::to_owned).to_vec();
    while ids.len() < usize::try_from(options.accounts.clamp(3, 200)).unwrap_or(3) {
        let id = format!("{:012}", 400_000_000_000 + rng.below(99_999_999_999));
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S7, S18, S19: a leading zero, a re-created role and a role with a path are in the cast.
    #[test]
    fn situations_have_their_actors() {
        let cast = Cast::new(&Options::default());
        assert_eq!(cast.account(0), "012345678901");
        let atlas: Vec<&Role> = cast.roles.iter().filter(|role| role.name == "MongoAtlasAccess").collect();
        assert_eq!(atlas.iter().map(|role| role.exists).collect::<Vec<_>>(), [false, true]);
        assert_ne!(atlas[0].role_id, atlas[1].role_id);
        assert!(cast.roles.iter().any(|role| role.arn.contains(":role/security/vendors/lacework")));
        assert_eq!(cast.roles.iter().filter(|role| role.name == "DatadogIntegrationRole").count(), 3);
    }
}
