// SPDX-License-Identifier: Apache-2.0
//
// A TOML document as a flat list of nodes with their places, so that a reader in another language
// walks it without a C++ type or a callback. No exception leaves these functions.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CTOML_NOEXCEPT noexcept
extern "C" {
#else
#define CTOML_NOEXCEPT
#endif

enum ctoml_kind {
    ctoml_kind_table,
    ctoml_kind_array,
    ctoml_kind_string,
    ctoml_kind_integer,
    ctoml_kind_float,
    ctoml_kind_boolean,
    ctoml_kind_date,
} __attribute__((enum_extensibility(closed)));

// Octets that belong to the document; not ended by NUL.
struct ctoml_text {
    const char *octets;
    size_t count;
};

// Lines and columns count from 1; 0 where the parser knows none.
struct ctoml_place {
    uint32_t line;
    uint32_t column;
};

// A value and the key it stands under. Nodes are in document order of their containers: after a
// table or an array come its `count` members, each followed by its own.
struct ctoml_node {
    enum ctoml_kind kind;
    size_t count;
    struct ctoml_text key;
    struct ctoml_place key_place;
    struct ctoml_place place;
    struct ctoml_text text;
    int64_t integer; // 0 and 1 for booleans
    double number;
};

typedef struct ctoml_document ctoml_document;

// Parses UTF-8 text. NULL only when memory runs out; see ctoml_failure.
ctoml_document *ctoml_parse(const char *octets, size_t count) CTOML_NOEXCEPT;

void ctoml_free(ctoml_document *document) CTOML_NOEXCEPT;

// Why the text is not TOML; empty when it is.
struct ctoml_text ctoml_failure(const ctoml_document *document) CTOML_NOEXCEPT;

// Where the parser stopped.
struct ctoml_place ctoml_failure_place(const ctoml_document *document) CTOML_NOEXCEPT;

// How many nodes there are; none after a failure, else the root table is the first.
size_t ctoml_node_count(const ctoml_document *document) CTOML_NOEXCEPT;

// The node at an index below the count.
struct ctoml_node ctoml_node_at(const ctoml_document *document, size_t index) CTOML_NOEXCEPT;

#ifdef __cplusplus
}
#endif
