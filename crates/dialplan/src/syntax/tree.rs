//! What a script says, and where it says it.

use std::borrow::Cow;

use super::scanner::Comment;

/// Bytes of a file, from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A file as read.
#[derive(Debug)]
pub(crate) struct Tree<'s> {
    pub(crate) block: Block<'s>,
    /// In the order of the text.
    pub(crate) comments: Vec<Comment>,
}

/// A name and where it stands. Its start tells it from all other names of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name<'s> {
    pub(crate) text: &'s str,
    pub(crate) span: Span,
}

/// Statements in a scope of their own.
#[derive(Debug, Default)]
pub(crate) struct Block<'s> {
    pub(crate) statements: Vec<Statement<'s>>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Statement<'s> {
    pub(crate) kind: StatementKind<'s>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum StatementKind<'s> {
    Local {
        names: Vec<(Name<'s>, Attribute)>,
        values: Vec<Expression<'s>>,
    },
    LocalFunction {
        name: Name<'s>,
        function: Box<Function<'s>>,
    },
    /// `function a.b:c()`; `path` has at least one name.
    Function {
        path: Vec<Name<'s>>,
        method: Option<Name<'s>>,
        function: Box<Function<'s>>,
    },
    Assign {
        targets: Vec<Expression<'s>>,
        values: Vec<Expression<'s>>,
    },
    Call(Expression<'s>),
    Do(Block<'s>),
    While {
        condition: Expression<'s>,
        body: Block<'s>,
    },
    Repeat {
        body: Block<'s>,
        until: Expression<'s>,
    },
    If {
        clauses: Vec<Clause<'s>>,
        otherwise: Option<Block<'s>>,
    },
    NumericFor {
        variable: Name<'s>,
        from: Expression<'s>,
        to: Expression<'s>,
        step: Option<Expression<'s>>,
        body: Block<'s>,
    },
    GenericFor {
        names: Vec<Name<'s>>,
        values: Vec<Expression<'s>>,
        body: Block<'s>,
    },
    Return(Vec<Expression<'s>>),
    Break,
    /// Where it jumps to is Lua's affair.
    Goto,
    Label,
}

/// What stands behind a local name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    None,
    Const,
    Close,
}

/// `if` or `elseif` with its condition.
#[derive(Debug)]
pub(crate) struct Clause<'s> {
    pub(crate) condition: Expression<'s>,
    pub(crate) body: Block<'s>,
}

#[derive(Debug)]
pub(crate) struct Function<'s> {
    /// Without the `self` of a method.
    pub(crate) parameters: Vec<Name<'s>>,
    pub(crate) body: Block<'s>,
    /// From its parameters to its `end`.
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Expression<'s> {
    pub(crate) kind: ExpressionKind<'s>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum ExpressionKind<'s> {
    Nil,
    Boolean(bool),
    Number(Number),
    Text(Text<'s>),
    Variadic,
    Function(Box<Function<'s>>),
    Name(Name<'s>),
    Table(Vec<Field<'s>>),
    Bracketed(Box<Expression<'s>>),
    /// `base.x[y]:z(...)`; at least one suffix.
    Suffixed {
        base: Box<Expression<'s>>,
        suffixes: Vec<Suffix<'s>>,
    },
    /// `not - x`, outermost first; at least one.
    Unary {
        operators: Vec<UnaryOperator>,
        operand: Box<Expression<'s>>,
    },
    /// Operands joined by operators of one rank, in the order of the text; at least one in `rest`.
    Binary {
        first: Box<Expression<'s>>,
        rest: Vec<(BinaryOperator, Expression<'s>)>,
    },
}

/// A string's content; `None` when it is not UTF-8 text.
pub(crate) type Text<'s> = Option<Cow<'s, str>>;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(i64),
    Real(f64),
}

/// What follows a value: reaching into it, or calling it.
#[derive(Debug)]
pub(crate) enum Suffix<'s> {
    Field(Name<'s>),
    Index(Expression<'s>),
    Call(Arguments<'s>),
    Method(Name<'s>, Arguments<'s>),
}

#[derive(Debug)]
pub(crate) struct Arguments<'s> {
    pub(crate) values: Vec<Expression<'s>>,
    /// With the brackets, if there are any.
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Field<'s> {
    pub(crate) key: FieldKey<'s>,
    pub(crate) value: Expression<'s>,
}

#[derive(Debug)]
pub(crate) enum FieldKey<'s> {
    /// The next number.
    Position,
    Name(Name<'s>),
    /// `[...] =`
    Index(Expression<'s>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnaryOperator {
    Not,
    Minus,
    Length,
    BitNot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Or,
    And,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Unequal,
    Equal,
    BitOr,
    BitXor,
    BitAnd,
    ShiftLeft,
    ShiftRight,
    Concat,
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

impl Span {
    /// From the start of this to the end of `other`.
    pub(crate) fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end.max(self.start) }
    }
}

impl BinaryOperator {
    /// Higher binds tighter.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Less
            | Self::Greater
            | Self::LessOrEqual
            | Self::GreaterOrEqual
            | Self::Unequal
            | Self::Equal => 3,
            Self::BitOr => 4,
            Self::BitXor => 5,
            Self::BitAnd => 6,
            Self::ShiftLeft | Self::ShiftRight => 7,
            Self::Concat => 8,
            Self::Add | Self::Subtract => 9,
            Self::Multiply | Self::Divide | Self::FloorDivide | Self::Modulo => 10,
            Self::Power => 12,
        }
    }
}

/// Between the operators that take one operand and `^`.
pub(super) const UNARY_RANK: u8 = 11;
