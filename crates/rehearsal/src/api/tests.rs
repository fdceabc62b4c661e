//! The table keeps the rules of the table of what scripts can call.

use super::*;

fn is_paragraphs(text: &str) -> bool {
    !text.is_empty()
        && text.split("\n\n").all(|paragraph| {
            paragraph.trim() == paragraph && paragraph.ends_with('.') && !paragraph.contains('\n')
        })
}

#[test]
fn every_function_is_in_order_explained_and_shown() {
    for library in TEST_LIBRARIES {
        let word = library.library.word();
        assert!(is_paragraphs(library.doc), "{word}");
        assert!(library.summary.ends_with('.'), "{word}");
        assert!(library.functions.is_sorted_by_key(|spec| spec.name), "{word}");
        assert!(library.fields.is_sorted_by_key(|field| field.name), "{word}");
        for spec in library.functions {
            let name = spec.full_name();
            assert_eq!(spec.library, library.library, "{name}");
            assert!(spec.summary.ends_with('.'), "{name}");
            assert!(is_paragraphs(spec.doc), "{name}: {:?}", spec.doc);
            for option in spec.arguments.iter().chain(spec.options) {
                assert!(option.doc.ends_with('.'), "{name}: {}", option.name);
            }
            let called = ["(", " {", " \""].map(|after| format!("{}{after}", spec.name));
            assert!(called.iter().any(|called| spec.example.contains(called.as_str())), "{name}");
            assert!(spec.example.starts_with(|c: char| c.is_alphabetic()), "{name}");
            assert!(spec.example.ends_with('\n'), "{name}");
        }
    }
}
