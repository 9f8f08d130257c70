//! Pages of the docs.

/// The YAML blocks of a page, each with the line that it begins in.
pub(crate) fn blocks(page: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find("```yaml\n") {
        let body = &rest[start + "```yaml\n".len()..];
        let end = body.find("\n```").expect("a block that ends") + 1;
        let line = page[..page.len() - body.len()].lines().count() + 1;
        found.push((line, &body[..end]));
        rest = &body[end..];
    }
    found
}
