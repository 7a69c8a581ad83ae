//! A vendor's role as templates that people apply: CloudFormation and Terraform, and the steps around them.
//!
//! Names, tags, descriptions and policies are written by strangers and arrive as what they are: quoted as each language
//! wants it (S43). The external id stays out of the files unless it was given for them (S42).

mod cloudformation;
mod steps;
mod terraform;

pub(super) use cloudformation::check;
pub use cloudformation::{CannotWrite, cloudformation};
pub use steps::{Steps, UserToReplace, steps};
pub use terraform::terraform;

use crate::aws::external_id::ExternalId;
use crate::policy::vendor_role::VendorRole;
use serde_json::{Value, json};

/// What the external id must look like, for those who fill it in. Its length is asked for apart: Terraform's expressions
/// cannot count to more than 1,000.
const ID_PATTERN: &str = "[a-zA-Z0-9+=,.@:/_-]+";
/// Its least and greatest length.
const ID_CHARACTERS: (u32, u32) = (2, 1224);

/// What stands for the external id in the trust policy: the id, where the role brings one, else a parameter of the
/// template.
fn id_or_parameter(role: &VendorRole) -> Value {
    match &role.external_id {
        Some(id) => json!(ExternalId::reveal(id)),
        None => json!({"Ref": "ExternalId"}),
    }
}
