//! Puts a data key together from the shares of key groups.
//!
//! Shamir's scheme over the field of AES: a share has a byte per byte of the secret, and its own position as the
//! last byte.

/// Why shares do not give a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// One share gives nothing.
    #[error("at least two shares are needed")]
    TooFew,
    /// A share has no byte of the secret.
    #[error("a share is too short")]
    TooShort,
    /// Shares of different secrets.
    #[error("the shares have different lengths")]
    Lengths,
    /// A share is there twice.
    #[error("two shares are the same")]
    Duplicate,
}

/// The secret behind `shares`; too few shares give a wrong one, which the cipher will notice.
pub(crate) fn combine(shares: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, ShareError> {
    let shares: Vec<&[u8]> = shares.iter().map(AsRef::as_ref).collect();
    let length = shares.first().map_or(0, |share| share.len());
    if shares.len() < 2 {
        return Err(ShareError::TooFew);
    }
    if length < 2 {
        return Err(ShareError::TooShort);
    }
    if shares.iter().any(|share| share.len() != length) {
        return Err(ShareError::Lengths);
    }
    let positions: Vec<u8> = shares.iter().map(|share| share[length - 1]).collect();
    for (index, position) in positions.iter().enumerate() {
        if positions[..index].contains(position) {
            return Err(ShareError::Duplicate);
        }
    }
    let weights: Vec<u8> = (0..shares.len()).map(|index| weight_at_zero(&positions, index)).collect();
    let byte =
        |at: usize| shares.iter().zip(&weights).fold(0, |sum, (share, weight)| sum ^ multiply(share[at], *weight));
    Ok((0..length - 1).map(byte).collect())
}

/// Lagrange's basis polynomial of one position, at zero.
fn weight_at_zero(positions: &[u8], index: usize) -> u8 {
    let own = positions[index];
    let others = positions.iter().enumerate().filter(|(other, _)| *other != index);
    others.fold(1, |product, (_, other)| multiply(product, multiply(*other, inverse(*other ^ own))))
}

fn multiply(mut left: u8, mut right: u8) -> u8 {
    const POLYNOMIAL: u8 = 0x1b;
    let mut product = 0;
    for _ in 0..8 {
        product ^= left & (right & 1).wrapping_neg();
        let carry = (left >> 7).wrapping_neg();
        left = (left << 1) ^ (carry & POLYNOMIAL);
        right >>= 1;
    }
    product
}

/// `value` to the power of 254.
fn inverse(value: u8) -> u8 {
    let mut result = 1;
    let mut power = value;
    for bit in 0..8 {
        if 254_u8 >> bit & 1 == 1 {
            result = multiply(result, power);
        }
        power = multiply(power, power);
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Shares at positions 1, 2, …; `polynomials` has the coefficients above the secret, one row per degree.
    fn split(secret: &[u8], polynomials: &[Vec<u8>], parts: u8) -> Vec<Vec<u8>> {
        let evaluate = |at: usize, x: u8| {
            let (sum, _) = polynomials
                .iter()
                .fold((secret[at], x), |(sum, power), row| (sum ^ multiply(row[at], power), multiply(power, x)));
            sum
        };
        (1..=parts).map(|x| (0..secret.len()).map(|at| evaluate(at, x)).chain([x]).collect()).collect()
    }

    proptest! {
        #[test]
        fn any_two_of_four_shares_are_enough(secret: [u8; 32], slope: [u8; 32], a in 0_usize..4, b in 0_usize..4) {
            prop_assume!(a != b);
            let shares = split(&secret, &[slope.to_vec()], 4);
            prop_assert_eq!(combine(&[&shares[a], &shares[b]]).unwrap(), secret.to_vec());
        }

        #[test]
        fn two_shares_of_a_threshold_of_three_give_something_else(secret: [u8; 32], a: [u8; 32], b in 1_u8..) {
            let shares = split(&secret, &[a.to_vec(), vec![b; 32]], 3);
            prop_assert_ne!(combine(&shares[..2]).unwrap(), secret.to_vec());
            prop_assert_eq!(combine(&shares).unwrap(), secret.to_vec());
        }

        #[test]
        fn every_number_but_zero_has_an_inverse(value in 1_u8..) {
            prop_assert_eq!(multiply(value, inverse(value)), 1);
        }
    }

    #[test]
    fn shares_that_do_not_belong_together_are_refused() {
        assert_eq!(combine(&[vec![1, 1]]), Err(ShareError::TooFew));
        assert_eq!(combine(&[vec![1], vec![2]]), Err(ShareError::TooShort));
        assert_eq!(combine(&[vec![1, 1], vec![2, 2, 2]]), Err(ShareError::Lengths));
        assert_eq!(combine(&[vec![1, 7], vec![2, 7]]), Err(ShareError::Duplicate));
    }
}
