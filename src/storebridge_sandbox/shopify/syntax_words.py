"""What graphql-ruby's parser says of a text that is no GraphQL; it names tokens where graphql-core names characters."""

from __future__ import annotations

import re

from graphql import GraphQLError, GraphQLSyntaxError, Lexer, Source, Token, TokenKind

NAMES = {
    TokenKind.BANG: "BANG", TokenKind.DOLLAR: "VAR_SIGN", TokenKind.AMP: "AMP", TokenKind.PAREN_L: "LPAREN",
    TokenKind.PAREN_R: "RPAREN", TokenKind.SPREAD: "ELLIPSIS", TokenKind.COLON: "COLON", TokenKind.EQUALS: "EQUALS",
    TokenKind.AT: "DIR_SIGN", TokenKind.BRACKET_L: "LBRACKET", TokenKind.BRACKET_R: "RBRACKET",
    TokenKind.BRACE_L: "LCURLY", TokenKind.PIPE: "PIPE", TokenKind.BRACE_R: "RCURLY", TokenKind.NAME: "IDENTIFIER",
    TokenKind.INT: "INT", TokenKind.FLOAT: "FLOAT", TokenKind.STRING: "STRING", TokenKind.BLOCK_STRING: "STRING",
}  # fmt: skip
KEYWORDS = {
    "true": "TRUE_LITERAL", "false": "FALSE_LITERAL", "null": "NULL_LITERAL", "type": "TYPE_LITERAL", "query": "QUERY",
    "mutation": "MUTATION", "subscription": "SUBSCRIPTION", "fragment": "FRAGMENT", "on": "ON", "enum": "ENUM",
    "input": "INPUT", "interface": "INTERFACE", "union": "UNION", "scalar": "SCALAR", "schema": "SCHEMA",
    "extend": "EXTEND", "directive": "DIRECTIVE", "implements": "IMPLEMENTS",
}  # fmt: skip
ONE_EXPECTED = {"':'": "COLON", "'$'": "VAR_SIGN", "'='": "EQUALS"}


def ruby_syntax_message(error: GraphQLError, text: str) -> tuple[str, int, int]:
    """``syntax error, unexpected RCURLY ("}") at [1, 19]`` with line and column. At the end of the text the last
    token is named, as recorded; graphql-core names the end."""
    at = next(iter(error.positions or ()), len(text))
    last, wrong, invalid = _tokens(text, at)
    if invalid or wrong is None:
        line, column = _line_and_column(text, at)
        shown = text[at : at + 1].replace("\\", "\\\\").replace('"', '\\"')
        return f'syntax error, unexpected invalid token ("{shown}") at [{line}, {column}]', line, column
    if wrong.kind is TokenKind.EOF:
        if last is None:
            return "syntax error, unexpected end of file", 1, 1
        return f"syntax error, unexpected end of file at [{last.line}, {last.column}]", last.line, last.column
    name = KEYWORDS.get(wrong.value or "", "IDENTIFIER") if wrong.kind is TokenKind.NAME else NAMES[wrong.kind]
    shown = f' ("{text[wrong.start : wrong.end]}")' if name.isalpha() else ""
    expected = re.search(r"Expected ('.'),", error.message)
    told = f", expecting {ONE_EXPECTED[expected[1]]}" if expected and expected[1] in ONE_EXPECTED else ""
    return f"syntax error, unexpected {name}{shown}{told} at [{wrong.line}, {wrong.column}]", wrong.line, wrong.column


def _tokens(text: str, at: int) -> tuple[Token | None, Token | None, bool]:
    """The token before a place, the one that stands there, and whether the text there is no token at all."""
    lexer, last = Lexer(Source(text)), None
    try:
        while lexer.advance().kind is not TokenKind.EOF and lexer.token.start < at:
            last = lexer.token
    except GraphQLSyntaxError:
        return last, None, True
    return last, lexer.token, False


def _line_and_column(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
