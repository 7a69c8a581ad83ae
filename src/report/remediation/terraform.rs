//! The right-sized policies of a role as a Terraform file, to be laid into the module that has the role.

use super::super::escape::{shell_comment as comment, shell_plain};
use super::super::hcl::{block, encoded, entry, lines, quoted};
use super::plan::{Change, Step, path_of};
use crate::finding::assessment::RoleReport;

/// What keeps Terraform from making a policy anew: a description cannot be changed, and is not known here.
const LIFECYCLE: &str = "  lifecycle {\n    ignore_changes = [description]\n  }\n";

/// The file.
pub(super) fn terraform(role: &RoleReport, steps: &[Step<'_>]) -> String {
    let mut out = String::new();
    comment(&mut out, "The right-sized policies of a role:");
    comment(&mut out, &role.arn);
    comment(
        &mut out,
        "Where Terraform has the policies already, take over the documents. Where it has them not, the commented",
    );
    comment(
        &mut out,
        "import blocks (Terraform 1.5 or later) let it take over what is there. Read its plan before you apply it.",
    );
    comment(
        &mut out,
        "The way back: the document as it was (.current.json) in the same resource. Without the resource Terraform deletes",
    );
    comment(&mut out, "the policy, so do not take it out, nor revert the commit that added it.");
    let mut place = Place { role_name: quoted(&role.name), out };
    for (at, step) in steps.iter().enumerate() {
        if at == 0 {
            place.out.push('\n');
        }
        place.write(role, step, &format!("policy_{}", at + 1));
    }
    place.out.trim_end().to_owned() + "\n"
}

/// Where the resources are written to.
struct Place {
    role_name: String,
    out: String,
}

impl Place {
    fn write(&mut self, role: &RoleReport, step: &Step<'_>, label: &str) {
        let name = entry("name", &quoted(&step.policy.name));
        let policy = |part: usize| entry("policy", &encoded(step.document(part), &[]));
        match &step.change {
            Change::PutInline => {
                let id = format!("{}:{}", role.name, step.policy.name);
                self.import(&format!("aws_iam_role_policy.{label}"), &id);
                let entries = [name, entry("role", &self.role_name), policy(0)];
                block(&mut self.out, "aws_iam_role_policy", label, &entries);
            }
            Change::NewVersion(arn) => {
                self.import(&format!("aws_iam_policy.{label}"), arn);
                let entries = [name, entry("path", &quoted(path_of(arn))), policy(0)];
                let entries = lines(&entries, 2);
                self.out.push_str(&format!("resource \"aws_iam_policy\" \"{label}\" {{\n{entries}\n{LIFECYCLE}}}\n\n"));
            }
            Change::Replace(own) => {
                self.gone(step);
                for one in own {
                    let label = format!("{label}_{}", one.part + 1);
                    let entries = [entry("name", &quoted(&one.name)), policy(one.part)];
                    block(&mut self.out, "aws_iam_policy", &label, &entries);
                    let arn = entry("policy_arn", &format!("aws_iam_policy.{label}.arn"));
                    let entries = [entry("role", &self.role_name), arn];
                    block(&mut self.out, "aws_iam_role_policy_attachment", &label, &entries);
                }
            }
        }
    }

    /// How Terraform takes over what is there; `quoted` leaves no end of line in it.
    fn import(&mut self, to: &str, id: &str) {
        self.out.push_str(&format!("# import {{\n#   to = {to}\n#   id = {}\n# }}\n", quoted(id)));
    }

    /// What is to be taken out, which no resource can say.
    fn gone(&mut self, step: &Step<'_>) {
        let gone = match step.policy.arn.as_deref() {
            Some(arn) => format!("Take out what attaches {} to the role, once these are attached.", shell_plain(arn)),
            None => format!("Take the inline policy {} out of the role.", shell_plain(&step.policy.name)),
        };
        comment(&mut self.out, &gone);
    }
}
