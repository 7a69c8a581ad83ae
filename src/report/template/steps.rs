//! What to do with the templates: create the role, hand it over, watch, and take back what it replaces.

use crate::aws::Fingerprint;
use crate::policy::vendor_role::{Boundary, VendorRole};

use super::super::escape::{code, shell_word, text};

/// What is told beside the role.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// Whom the role is for.
    pub party: String,
    /// Whether there is a CloudFormation template.
    pub cloudformation: bool,
    /// Whether there is a Terraform file.
    pub terraform: bool,
    /// What to look at before the role is created.
    pub notes: Vec<String>,
    /// The user whose keys the role takes the place of.
    pub user: Option<UserToReplace>,
}

/// A vendor's user.
#[derive(Clone, Debug)]
pub struct UserToReplace {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
}

/// Bytes of a template that can be sent along; a larger one must lie in a bucket. Source: CloudFormation User Guide,
/// "Understand CloudFormation quotas".
pub(super) const TEMPLATE_BYTES: usize = 51_200;

/// The page. `template_bytes` is the size of the CloudFormation template.
#[must_use]
pub fn steps(role: &VendorRole, steps: &Steps, template_bytes: usize) -> String {
    let mut out = format!("# Role {} for {}\n\n", code(&role.name), text(&steps.party));
    out.push_str("Nothing was changed in AWS. Read the template, then go on step by step.\n");
    if !steps.notes.is_empty() {
        out.push_str("\n## Look at this first\n\n");
        for note in &steps.notes {
            out.push_str(&format!("- {}\n", text(note)));
        }
    }
    out.push_str("\n## Steps\n\n");
    let mut list = vec![agree(role, &steps.party), create(role, steps, template_bytes), verify(role), hand_over(role)];
    match &steps.user {
        Some(user) => list.extend(replace(role, user)),
        None => list.push(watch(role)),
    }
    for (at, step) in list.iter().enumerate() {
        out.push_str(&format!("{}. {step}\n", at + 1));
    }
    out
}

fn agree(role: &VendorRole, party: &str) -> String {
    match &role.external_id {
        Some(id) => {
            let Fingerprint { digest, length } = Fingerprint::of(id.reveal());
            format!(
                "The external id is in the template ({length} characters, fingerprint {digest}): keep the files as you keep \
                 secrets."
            )
        }
        None => format!(
            "Agree with {} on an external id that is for you alone. The vendor should make it; where it lets you choose, \
             `thirdtrail external-id new` makes one. Keep it in a file that only you can read (`external-id` below).",
            text(party)
        ),
    }
}

fn create(role: &VendorRole, steps: &Steps, template_bytes: usize) -> String {
    let mut out = "Create the role, with one of the templates:\n".to_owned();
    let id = role.external_id.is_none();
    if steps.cloudformation {
        let stack: String = role.name.chars().filter(char::is_ascii_alphanumeric).collect();
        let parameters = if id { " --parameter-overrides file://parameters.json" } else { "" };
        out.push_str(&format!(
            "\n   ```sh\n   aws cloudformation deploy --template-file role.template.json --stack-name vendor-{stack} \
             --capabilities CAPABILITY_NAMED_IAM{parameters}\n   ```\n"
        ));
        if id {
            out.push_str(
                "\n   `parameters.json` holds `{\"Parameters\": {\"ExternalId\": \"...\"}}` and is for your eyes only; an id on the \
                 command line could be read by others on the machine.\n",
            );
        }
        if template_bytes > TEMPLATE_BYTES {
            out.push_str(&format!(
                "\n   The template has {template_bytes} bytes: over {TEMPLATE_BYTES} it must lie in a bucket (`--s3-bucket`).\n"
            ));
        }
    }
    if steps.terraform {
        let variable = if id { "TF_VAR_external_id=\"$(cat external-id)\" " } else { "" };
        out.push_str(&format!("\n   ```sh\n   {variable}terraform apply\n   ```\n"));
        out.push_str("\n   `role.tf` fits into any module with the provider `hashicorp/aws`. Terraform's state holds the external id.\n");
    }
    out
}

fn verify(role: &VendorRole) -> String {
    format!(
        "See that it refuses whoever has no id: `aws iam get-account-authorization-details > inventory.json`, then\n   \
         `thirdtrail external-id check --inventory inventory.json --role {}`.",
        word(&role.name)
    )
}

fn hand_over(role: &VendorRole) -> String {
    let boundary = if matches!(role.boundary, Some(Boundary::Document(_))) {
        " Whatever is attached to it later, it can never do more than its permissions boundary says."
    } else {
        ""
    };
    format!(
        "Give the vendor the ARN of the role and, over another way, the external id. A session lasts at most {} \
         minutes.{boundary}",
        role.session_seconds / 60
    )
}

fn watch(role: &VendorRole) -> String {
    format!(
        "After some weeks run `thirdtrail analyze` on your trail: it says what {} was used for, whether every hand-off \
         carried the id, and what can go.",
        code(&role.name)
    )
}

fn replace(role: &VendorRole, user: &UserToReplace) -> Vec<String> {
    let name = word(&user.name);
    vec![
        format!(
            "Find what names the user itself: policies of buckets, keys, queues and other resources, and conditions on \
             {}. They are not in the inventory, and the role does not inherit them.",
            code(&user.arn)
        ),
        format!(
            "Watch both. {} should be assumed (its last use in IAM, or `thirdtrail analyze`), and the keys of the user \
             should fall silent:\n\n   ```sh\n   aws iam list-access-keys --user-name {name}\n   \
             aws iam get-access-key-last-used --access-key-id KEY\n   ```\n",
            code(&role.name)
        ),
        format!(
            "When the keys have been silent for as long as the vendor's rarest job takes, switch them off. This can be \
             taken back with `--status Active`:\n\n   ```sh\n   aws iam update-access-key --user-name {name} \
             --access-key-id KEY --status Inactive\n   ```\n"
        ),
        "When nobody has missed them, delete the keys, then the user with its policies and group memberships."
            .to_owned(),
    ]
}

/// A word of a command, or a place to fill in where it would need quoting.
fn word(raw: &str) -> &str {
    shell_word(raw).unwrap_or("NAME")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::external_id::ExternalId;
    use crate::policy::size::PolicyKind;

    fn role() -> VendorRole {
        VendorRole {
            name: "Vendor+Role".to_owned(),
            description: String::new(),
            principal: "arn:aws:iam::464622532012:root".to_owned(),
            external_id: None,
            source_identity: false,
            kind: PolicyKind::Inline,
            documents: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            session_seconds: 5_400,
            tags: BTreeMap::new(),
        }
    }

    /// S43: names of strangers are neither markup nor commands.
    #[test]
    fn steps_escape_what_strangers_wrote() {
        let user = UserToReplace { arn: "arn:aws:iam::1:user/x`$(id)`".to_owned(), name: "x; rm -rf ~".to_owned() };
        let told = Steps {
            party: "<b>Evil</b>\n# Inc".to_owned(),
            cloudformation: true,
            terraform: true,
            notes: vec!["[x](http://evil.example)".to_owned()],
            user: Some(user),
        };
        let page = steps(&role(), &told, 60_000);
        assert!(!page.contains("<b>") && !page.contains("rm -rf") && !page.contains("[x]("), "{page}");
        assert!(page.contains("--user-name NAME") && page.contains("--s3-bucket"), "{page}");
        assert!(page.contains("90 minutes"), "{page}");
    }

    /// S42: an id in the templates is not in the steps.
    #[test]
    fn steps_do_not_show_the_id() {
        let id = "23bc5533-157c-41bf-a01a-4ecb491471f6";
        let role = VendorRole { external_id: ExternalId::parse(id).ok(), ..role() };
        let page = steps(&role, &Steps { terraform: true, ..Steps::default() }, 0);
        assert!(!page.contains(id) && page.contains("fingerprint"), "{page}");
        assert!(!page.contains("TF_VAR"), "{page}");
    }
}
