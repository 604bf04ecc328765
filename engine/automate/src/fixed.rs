//! Elections as fixed images, for deploys that follow policies without edited files.

use serde_json::{Value, json};

use crate::select::{Outcome, Selection};

/// `images: [{image, resultImage}]`; each image once, in order.
///
/// # Errors
/// Two policies that chose differently for the same image.
pub fn document(selections: &[Selection]) -> Result<Value, String> {
    let mut images: Vec<(&str, String, String)> = Vec::new();
    for Selection { address, image, outcome, .. } in selections {
        let Outcome::Elected(elected) = outcome else { continue };
        let result = elected.reference();
        match images.iter().find(|(known, ..)| known == image) {
            Some((_, other, _)) if *other == result => {}
            Some((_, other, by)) => {
                return Err(format!(
                    "the policies `{by}` and `{address}` choose {other} and {result} for the same image: name the one to use"
                ));
            }
            None => images.push((image, result, address.to_string())),
        }
    }
    images.sort();
    let entry = |(image, result, _): &(&str, String, String)| json!({"image": image, "resultImage": result});
    Ok(json!({"images": images.iter().map(entry).collect::<Vec<_>>()}))
}
