//! The word that was probably meant.

/// The known word most like `wrong`, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(slips, word)| *slips <= (word.len().max(wrong.len()) / 3).max(1))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, word)| word)
}
