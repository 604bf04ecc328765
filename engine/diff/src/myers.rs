//! Shortest edit script in the classic order: what goes is told before what comes.
//!
//! The predecessor's unified diffs come from this very search, and among equally short scripts each
//! implementation has its favourite. `similar` takes over where the search would need too much memory.

use std::hash::Hash;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Memory grows with the square of the number of edits; at this many it is 8 MB.
const MAX_EDITS: usize = 1_000;

/// Operations that turn `old` into `new`, equal runs included.
pub(crate) fn edit_script<T: Eq + Hash + Ord>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    match search(old, new) {
        Some(trace) => backtrack(&trace, old.len(), new.len()),
        None => capture_diff_slices(Algorithm::Myers, old, new),
    }
}

/// Furthest old positions per diagonal `-d..=d` after round `d`.
struct Round(Vec<usize>);

impl Round {
    /// Diagonals of the other parity hold the positions of the round before.
    fn at(&self, d: isize, k: isize) -> usize {
        self.0[(k + d) as usize]
    }
}

fn steps_down(k: isize, d: isize, at: impl Fn(isize) -> usize) -> bool {
    k == -d || (k != d && at(k - 1) < at(k + 1))
}

#[expect(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "slice lengths fit isize; indexes are offset")]
fn search<T: Eq>(old: &[T], new: &[T]) -> Option<Vec<Round>> {
    let limit = MAX_EDITS.min(old.len() + new.len());
    let offset = limit as isize + 1;
    let mut furthest = vec![0_usize; 2 * limit + 3];
    let mut trace = Vec::new();
    for d in 0..=limit as isize {
        let mut done = false;
        for k in (-d..=d).step_by(2) {
            let at = |k: isize| furthest[(k + offset) as usize];
            let mut x = if steps_down(k, d, at) { at(k + 1) } else { at(k - 1) + 1 };
            let mut y = (x as isize - k) as usize;
            while x < old.len() && y < new.len() && old[x] == new[y] {
                x += 1;
                y += 1;
            }
            furthest[(k + offset) as usize] = x;
            if x >= old.len() && y >= new.len() {
                done = true;
                break;
            }
        }
        trace.push(Round(furthest[(offset - d) as usize..=(offset + d) as usize].to_vec()));
        if done {
            return Some(trace);
        }
    }
    None
}

#[expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "slice lengths fit isize; positions are not negative"
)]
fn backtrack(trace: &[Round], old_len: usize, new_len: usize) -> Vec<DiffOp> {
    let (mut x, mut y) = (old_len as isize, new_len as isize);
    let mut script = Script::default();
    for (d, round) in trace.iter().enumerate().skip(1).rev() {
        let (d, k) = (d as isize, x - y);
        let down = steps_down(k, d, |k| round.at(d, k));
        let k_before = if down { k + 1 } else { k - 1 };
        let x_before = round.at(d, k_before) as isize;
        let y_before = x_before - k_before;
        let x_after_edit = if down { x_before } else { x_before + 1 };
        script.equal(x_after_edit as usize, (x_after_edit - k) as usize, (x - x_after_edit) as usize);
        if down {
            script.insert(x_before as usize, y_before as usize);
        } else {
            script.delete(x_before as usize, y_before as usize);
        }
        (x, y) = (x_before, y_before);
    }
    script.equal(0, 0, x as usize);
    script.0.reverse();
    script.0
}

/// Operations from last to first; neighbours of one kind are merged.
#[derive(Default)]
struct Script(Vec<DiffOp>);

impl Script {
    fn equal(&mut self, old_index: usize, new_index: usize, len: usize) {
        if len > 0 {
            self.0.push(DiffOp::Equal { old_index, new_index, len });
        }
    }

    fn delete(&mut self, old_index: usize, new_index: usize) {
        match self.0.last_mut() {
            Some(DiffOp::Delete { old_index: next, old_len, .. }) => {
                *next = old_index;
                *old_len += 1;
            }
            _ => self.0.push(DiffOp::Delete { old_index, old_len: 1, new_index }),
        }
    }

    fn insert(&mut self, old_index: usize, new_index: usize) {
        match self.0.last_mut() {
            Some(DiffOp::Insert { new_index: next, new_len, .. }) => {
                *next = new_index;
                *new_len += 1;
            }
            _ => self.0.push(DiffOp::Insert { old_index, new_index, new_len: 1 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(old: &[u8], new: &[u8]) -> (Vec<u8>, usize) {
        let (mut result, mut edits, mut at) = (Vec::new(), 0, 0);
        for op in edit_script(old, new) {
            assert_eq!(op.old_range().start, at);
            assert_eq!(op.new_range().start, result.len());
            at = op.old_range().end;
            result.extend_from_slice(&new[op.new_range()]);
            match op {
                DiffOp::Equal { .. } => assert_eq!(old[op.old_range()], new[op.new_range()]),
                op => edits += op.old_range().len() + op.new_range().len(),
            }
        }
        assert_eq!(at, old.len());
        (result, edits)
    }

    fn longest_common(old: &[u8], new: &[u8]) -> usize {
        let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
        for (i, a) in old.iter().enumerate() {
            for (j, b) in new.iter().enumerate() {
                table[i + 1][j + 1] = if a == b { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
            }
        }
        table[old.len()][new.len()]
    }

    #[test]
    fn what_goes_is_told_before_what_comes() {
        assert_eq!(
            edit_script(b"ab", b"ba"),
            [
                DiffOp::Delete { old_index: 0, old_len: 1, new_index: 0 },
                DiffOp::Equal { old_index: 1, new_index: 0, len: 1 },
                DiffOp::Insert { old_index: 2, new_index: 1, new_len: 1 },
            ]
        );
    }

    #[test]
    fn empty_sides() {
        assert!(edit_script::<u8>(&[], &[]).is_empty());
        assert_eq!(applied(b"", b"abc"), (b"abc".to_vec(), 3));
        assert_eq!(applied(b"abc", b""), (Vec::new(), 3));
    }

    #[test]
    fn large_rewrites_are_still_right() {
        let old: Vec<u8> = (0..3000_u32).map(|n| (n % 7) as u8).collect();
        let new: Vec<u8> = (0..3000_u32).map(|n| 100 + (n % 11) as u8).collect();
        assert_eq!(applied(&old, &new).0, new);
    }

    proptest! {
        #[test]
        fn scripts_are_right_and_shortest(
            old in prop::collection::vec(0_u8..4, 0..25),
            new in prop::collection::vec(0_u8..4, 0..25),
        ) {
            let (result, edits) = applied(&old, &new);
            prop_assert_eq!(result, new.clone());
            prop_assert_eq!(edits, old.len() + new.len() - 2 * longest_common(&old, &new));
        }
    }
}
