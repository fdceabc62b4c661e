use super::*;

fn is_paragraphs(text: &str) -> bool {
    !text.is_empty()
        && text.split("\n\n").all(|paragraph| {
            paragraph.trim() == paragraph
                && paragraph.ends_with(['.', ':', '`'])
                && !paragraph.contains('\n')
        })
}

#[test]
fn every_function_is_in_order_and_explained() {
    for library in LIBRARIES {
        assert!(library.summary.ends_with('.'), "{:?}", library.library);
        assert!(is_paragraphs(library.doc), "{:?}", library.library);
        assert!(library.functions.is_sorted_by_key(|spec| spec.name), "{:?}", library.library);
        assert!(library.fields.is_sorted_by_key(|field| field.name), "{:?}", library.library);
        for field in library.fields {
            assert!(field.doc.ends_with('.'), "{:?} {}", library.library, field.name);
        }
        for spec in library.functions {
            let name = spec.full_name();
            assert_eq!(spec.library, library.library, "{name}");
            assert!(spec.summary.ends_with('.'), "{name}");
            assert!(is_paragraphs(spec.doc), "{name}: {:?}", spec.doc);
            for option in spec.arguments.iter().chain(spec.options) {
                assert!(option.doc.ends_with('.'), "{name}: {}", option.name);
            }
            for value in values(&spec.returns) {
                assert!(value.doc.ends_with('.'), "{name} gives {}", value.name);
            }
        }
    }
}

#[test]
fn every_function_is_shown_in_its_own_example() {
    for spec in functions() {
        let name = spec.full_name();
        let called = ["(", " {", " \""].map(|after| format!("{name}{after}"));
        assert!(called.iter().any(|called| spec.example.contains(called.as_str())), "{name}");
        assert!(spec.example.contains("route("), "the example of {name} has no route");
        assert!(spec.example.ends_with('\n') && !spec.example.starts_with('\n'), "{name}");
    }
}

#[test]
fn two_kinds_of_table_do_not_share_a_name() {
    let classes: Vec<&ClassSpec> = functions()
        .filter_map(|spec| match spec.returns {
            Returns::Table(class) => Some(class),
            Returns::Nothing | Returns::Value(_) | Returns::Values(_) => None,
        })
        .chain(CLASSES.iter().copied())
        .collect();
    for class in &classes {
        let same = classes.iter().filter(|other| other.name == class.name);
        for other in same {
            assert!(std::ptr::eq(other.fields, class.fields), "{}", class.name);
        }
    }
}

#[test]
fn words_are_read_out_of_a_type() {
    let value = |ty| ValueSpec::new("status", ty, "");
    assert_eq!(value(r#""BUSY"|"CANCEL""#).words(), Some(vec!["BUSY", "CANCEL"]));
    assert_eq!(value("string?").words(), None);
    assert_eq!(value(r#"string|"BUSY""#).words(), None);
}

#[test]
fn a_slip_of_the_finger_finds_its_name_and_nonsense_does_not() {
    let names = || VERBS.iter().map(|spec| spec.name);
    assert_eq!(nearest("awnser", names()), Some("answer"));
    assert_eq!(nearest("Dial", names()), Some("dial"));
    assert_eq!(nearest("conference", names()), None);
}

fn values(returns: &Returns) -> &[ValueSpec] {
    match returns {
        Returns::Nothing => &[],
        Returns::Value(value) => std::slice::from_ref(value),
        Returns::Table(class) => class.fields,
        Returns::Values(values) => values,
    }
}
