//! What tests hold: the office, parties, mailboxes; and how their methods are found.

mod acts;
mod expect;
mod heard;
mod mailbox;
mod message;
mod office;
mod outside;
mod party;
mod property;
mod record;

use std::rc::Rc;

use dialplan::{LibrarySpec, VerbSpec, nearest};
use mlua::{Lua, MultiValue, UserDataMethods, Value};

pub(crate) use office::T;
pub(crate) use outside::answer_of;
pub(crate) use property::explain;

use crate::given::Given;
use crate::session::{Problem, Session};
use crate::show::describe;

/// A value with methods that stand in the table.
trait Object: Sized + 'static {
    /// Its rows.
    const SPEC: &'static LibrarySpec;

    /// The test it belongs to.
    fn session(&self) -> &Rc<Session>;

    /// Does what a row says.
    fn perform(
        this: &Rc<Self>,
        lua: &Lua,
        spec: &'static VerbSpec,
        given: &Given,
    ) -> Result<Value, Problem>;

    /// A plain value by name.
    fn field(&self, lua: &Lua, name: &str) -> mlua::Result<Option<Value>>;
}

/// What Lua holds of an object.
struct Handle<O>(Rc<O>);

impl<O: Object> mlua::UserData for Handle<O> {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        for spec in O::SPEC.functions {
            methods.add_function(spec.name, move |lua, values: MultiValue| {
                let mut values = values.into_iter();
                let this = match values.next() {
                    Some(Value::UserData(data)) if data.is::<Self>() => {
                        data.borrow::<Self>()?.0.clone()
                    }
                    Some(_) | None => {
                        let name = spec.full_name();
                        let problem = format!("is called with a colon, as in {name}()");
                        return Err(mlua::Error::RuntimeError(problem));
                    }
                };
                let done = match Given::new(spec, values) {
                    Ok(given) => O::perform(&this, lua, spec, &given),
                    Err(wrong) => Err(Problem::Misuse(wrong)),
                };
                done.map_err(|problem| this.session().raise(lua, &spec.full_name(), problem))
            });
        }
        methods.add_meta_method(mlua::MetaMethod::Index, |lua, this, key: Value| {
            let Value::String(name) = &key else { return Ok(Value::Nil) };
            let name = name.to_string_lossy();
            if let Some(value) = this.0.field(lua, &name)? {
                return Ok(value);
            }
            let known = O::SPEC.functions.iter().map(|spec| spec.name);
            let known = known.chain(O::SPEC.fields.iter().map(|field| field.name));
            let hint = nearest(&name, known).map(|near| format!("; did you mean \"{near}\"?"));
            let word = O::SPEC.library.word();
            let problem = format!("there is no \"{name}\"{}", hint.unwrap_or_default());
            Err(this.0.session().raise(lua, word, Problem::Misuse(problem)))
        });
        methods.add_meta_method(mlua::MetaMethod::NewIndex, |lua, this, key: Value| {
            let word = O::SPEC.library.word();
            let problem = format!("{} of {word} cannot be set", describe(&key));
            Err::<(), _>(this.0.session().raise(lua, word, Problem::Misuse(problem)))
        });
    }
}

/// Gives an object to Lua.
fn hand_out<O: Object>(lua: &Lua, object: Rc<O>) -> mlua::Result<Value> {
    lua.create_userdata(Handle(object)).map(Value::UserData)
}

/// The object that a value holds, if it is of this kind.
fn held<O: Object>(value: &Value) -> Option<Rc<O>> {
    let Value::UserData(data) = value else { return None };
    data.borrow::<Handle<O>>().ok().map(|handle| Rc::clone(&handle.0))
}
