/* Evaluates any tree ensemble from one flat node table, and dense layers in a fixed order of sums.
   No files, no code loading, no threads of its own. `bundle/twin.py` gives the same bits in numpy.

   A node has 16 bytes: threshold f64 | child u32 | feature u32. The right child is child + 1.
     inner node   left if x <= threshold; flags in `feature` say where the rest goes:
                  bit 31 categorical: the threshold's bytes are (u32 offset, u32 words) of a bitset,
                         and a code in the set goes left
                  bit 30 NaN goes left
                  bit 29 a code outside the bitset goes left
     leaf         child is its own index and feature is the number of features, where every loaded
                  row holds -inf: a leaf steps to itself, so the walk needs no test for leaves.
                  The threshold is the leaf's value or, when width > 1, its row in `leaves`.
   `build` validates everything once. Since every child lies behind its parent, `predict` can
   neither leave the arrays nor loop. Compile with -ffp-contract=off: a fused multiply-add would
   change bits. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CATEGORICAL 0x80000000u
#define NAN_LEFT 0x40000000u
#define OUTSIDE_LEFT 0x20000000u
#define UNUSED_FLAGS 0x1f000000u
#define FEATURE_MASK 0x00ffffffu

/* Trees (one row) or rows (a batch) that are walked side by side, which hides the latency of
   loads: 8 beat 4 and 16 on numeric trees. */
#define GROUP 8

/* Rows of one pass over all trees. A big tree is fetched once for many rows; small ones all fit
   the cache, where it is the rows that should stay. Measured: 4096 is 1.7 times as fast beyond
   1024 nodes a tree, 64 below. */
#define ROWS_FOR_SMALL_TREES 64
#define ROWS_FOR_BIG_TREES 4096
#define BIG_TREE_NODES 1024

/* One row is expanded on the stack up to this many features. */
#define STACK_FEATURES 2048

#define LONGEST_BITSET (1u << 20)
#define MOST_NODES 0x7fffffffu
#define CAPSULE_NAME "bundle.forest"

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

enum link { IDENTITY, SIGMOID, SOFTMAX, AVERAGE };
enum cast { FLOAT64, FLOAT32, TINY };

typedef struct {
    double threshold;
    uint32_t child;
    uint32_t feature;
} Node;

typedef struct {
    Node *nodes;
    uint32_t *roots;
    uint32_t *bits;
    double *leaves;
    double *init;
    unsigned char *has_categories; /* by tree: the numeric walk is a third faster */
    size_t node_count;
    size_t tree_count;
    size_t word_count; /* of `bits` */
    size_t leaf_count; /* numbers in `leaves` */
    unsigned int feature_count;
    unsigned int output_count;
    unsigned int width; /* numbers in a leaf: 1 or output_count */
    unsigned int cast;
    unsigned int float32_sums;
    unsigned int link;
    double scale;
    double bias;
} Forest;

/* ---- one step down a tree ---- */

INLINE uint32_t numeric_step(const Node *node, double value) {
    uint32_t nan_left = (value != value) & (node->feature >> 30 & 1);
    uint32_t left = (value <= node->threshold) | nan_left;
    return node->child + !left;
}

INLINE uint32_t categorical_step(const Forest *forest, const Node *node, double value) {
    uint32_t range[2]; /* offset, words */
    uint32_t left;
    memcpy(range, &node->threshold, sizeof range);
    if (value != value) {
        left = node->feature >> 30 & 1;
    } else if (value > -1.0 && value < (double)range[1] * 32.0) {
        uint32_t code = (uint32_t)(int32_t)value;
        left = forest->bits[range[0] + (code >> 5)] >> (code & 31) & 1;
    } else {
        left = node->feature >> 29 & 1;
    }
    return node->child + !left;
}

/* Walks GROUP places down until all stand on leaves. Place k reads rows + k * stride. */
INLINE void walk(const Forest *forest, uint32_t *places, const double *rows, size_t stride,
                 int with_categories) {
    uint32_t moved;
    do {
        moved = 0;
        for (size_t k = 0; k < GROUP; k++) {
            const Node *node = forest->nodes + places[k];
            double value = rows[k * stride + (node->feature & FEATURE_MASK)];
            uint32_t next;
            if (with_categories && (node->feature & CATEGORICAL)) {
                next = categorical_step(forest, node, value);
            } else {
                next = numeric_step(node, value);
            }
            moved |= next ^ places[k];
            places[k] = next;
        }
    } while (moved);
}

INLINE void descend(const Forest *forest, uint32_t *places, const double *rows, size_t stride,
                    int with_categories) {
    if (with_categories) {
        walk(forest, places, rows, stride, 1);
    } else {
        walk(forest, places, rows, stride, 0);
    }
}

/* ---- before and after the trees ---- */

/* Reads a row as the trainer read it; the last place is what every leaf looks at. */
static void load_row(const Forest *forest, const double *source, double *row) {
    size_t count = forest->feature_count;
    if (forest->cast == FLOAT32) { /* XGBoost, CatBoost, scikit-learn's forests */
        for (size_t j = 0; j < count; j++) {
            row[j] = (double)(float)source[j];
        }
    } else if (forest->cast == TINY) { /* LightGBM */
        for (size_t j = 0; j < count; j++) {
            row[j] = fabs(source[j]) <= (double)1e-35f ? 0.0 : source[j];
        }
    } else {
        memcpy(row, source, count * sizeof(double));
    }
    row[count] = -INFINITY;
}

INLINE double add(const Forest *forest, double sum, double value) {
    double total = sum + value;
    return forest->float32_sums ? (double)(float)total : total;
}

static void add_leaf(const Forest *forest, size_t tree, uint32_t place, double *out) {
    double value = forest->nodes[place].threshold;
    if (forest->width == 1) { /* boosted classes take turns */
        double *sum = out + tree % forest->output_count;
        *sum = add(forest, *sum, value);
        return;
    }
    const double *leaf = forest->leaves + (size_t)value * forest->width;
    for (size_t k = 0; k < forest->output_count; k++) {
        out[k] = add(forest, out[k], leaf[k]);
    }
}

static void softmax(double *out, size_t count) {
    double top = out[0];
    double total = 0.0;
    for (size_t k = 1; k < count; k++) {
        if (out[k] > top) {
            top = out[k];
        }
    }
    for (size_t k = 0; k < count; k++) {
        out[k] = exp(out[k] - top);
        total += out[k];
    }
    for (size_t k = 0; k < count; k++) {
        out[k] /= total;
    }
}

static void finish(const Forest *forest, double *out, unsigned int link) {
    size_t count = forest->output_count;
    if (forest->link == AVERAGE) { /* a division: multiplying by 1 / n gives other bits */
        for (size_t k = 0; k < count; k++) {
            out[k] /= (double)forest->tree_count;
        }
        return;
    }
    for (size_t k = 0; k < count; k++) {
        out[k] = out[k] * forest->scale + forest->bias;
    }
    if (link == SIGMOID) {
        for (size_t k = 0; k < count; k++) {
            out[k] = 1.0 / (1.0 + exp(-out[k]));
        }
    } else if (link == SOFTMAX) {
        softmax(out, count);
    }
}

/* ---- one row, many rows ---- */

static void predict_row(const Forest *forest, const double *source, double *out, double *row,
                        unsigned int link) {
    load_row(forest, source, row);
    memcpy(out, forest->init, forest->output_count * sizeof(double));
    for (size_t tree = 0; tree < forest->tree_count; tree += GROUP) {
        uint32_t places[GROUP];
        size_t left = forest->tree_count - tree;
        size_t count = left < GROUP ? left : GROUP;
        int with_categories = 0;
        for (size_t k = 0; k < GROUP; k++) {
            size_t walked = tree + (k < count ? k : 0); /* the first tree fills up the group */
            places[k] = forest->roots[walked];
            with_categories |= forest->has_categories[walked];
        }
        descend(forest, places, row, 0, with_categories);
        for (size_t k = 0; k < count; k++) {
            add_leaf(forest, tree + k, places[k], out);
        }
    }
    finish(forest, out, link);
}

static void predict_rows(const Forest *forest, const double *source, double *out, double *rows,
                         size_t count, unsigned int link) {
    size_t stride = (size_t)forest->feature_count + 1;
    size_t outputs = forest->output_count;
    for (size_t r = 0; r < (count + GROUP - 1) / GROUP * GROUP; r++) {
        size_t loaded = r < count ? r : 0; /* the first row fills up the last group */
        load_row(forest, source + loaded * forest->feature_count, rows + r * stride);
    }
    for (size_t r = 0; r < count; r++) {
        memcpy(out + r * outputs, forest->init, outputs * sizeof(double));
    }
    for (size_t tree = 0; tree < forest->tree_count; tree++) {
        for (size_t r = 0; r < count; r += GROUP) {
            uint32_t places[GROUP];
            for (size_t k = 0; k < GROUP; k++) {
                places[k] = forest->roots[tree];
            }
            descend(forest, places, rows + r * stride, stride, forest->has_categories[tree]);
            for (size_t k = 0; k < GROUP && r + k < count; k++) {
                add_leaf(forest, tree, places[k], out + (r + k) * outputs);
            }
        }
    }
    for (size_t r = 0; r < count; r++) {
        finish(forest, out + r * outputs, link);
    }
}

/* ---- validation ---- */

static const char *check_header(const Forest *forest) {
    if (forest->tree_count == 0 || forest->node_count == 0 || forest->node_count > MOST_NODES) {
        return "no trees, or too many nodes";
    }
    if (forest->feature_count == 0 || forest->feature_count >= FEATURE_MASK) {
        return "bad number of features";
    }
    if (forest->output_count == 0) {
        return "no outputs";
    }
    if (forest->width != 1 && forest->width != forest->output_count) {
        return "bad width";
    }
    if (forest->link > AVERAGE || forest->cast > TINY) {
        return "bad link or cast";
    }
    if (forest->width == 1 && forest->tree_count % forest->output_count != 0) {
        return "trees do not divide into the outputs";
    }
    if (!isfinite(forest->scale) || !isfinite(forest->bias)) {
        return "scale or bias is not finite";
    }
    for (size_t k = 0; k < forest->output_count; k++) {
        if (!isfinite(forest->init[k])) {
            return "init is not finite";
        }
    }
    for (size_t k = 0; k < forest->leaf_count; k++) {
        if (!isfinite(forest->leaves[k])) {
            return "a leaf is not finite";
        }
    }
    return NULL;
}

static const char *check_leaf(const Forest *forest, const Node *node) {
    if (node->feature != forest->feature_count || !isfinite(node->threshold)) {
        return "bad leaf";
    }
    if (forest->width > 1) {
        double rows = (double)(forest->leaf_count / forest->width);
        double row = node->threshold;
        if (!(row >= 0.0 && row < rows && row == floor(row))) {
            return "bad leaf row";
        }
    }
    return NULL;
}

/* `past` is the first node of the next tree: both children must lie before it. */
static const char *check_inner(const Forest *forest, const Node *node, size_t place, size_t past) {
    if ((node->feature & FEATURE_MASK) >= forest->feature_count ||
        (node->feature & UNUSED_FLAGS) != 0) {
        return "bad feature";
    }
    if (node->child <= place || (size_t)node->child + 1 >= past) {
        return "bad child";
    }
    if (node->feature & CATEGORICAL) {
        uint32_t range[2];
        memcpy(range, &node->threshold, sizeof range);
        /* No empty set: the code -0.5 truncates to 0, which must be there to be read. */
        if (range[1] == 0 || range[1] > LONGEST_BITSET ||
            (uint64_t)range[0] + range[1] > forest->word_count) {
            return "bad bitset";
        }
    } else if (node->threshold != node->threshold) {
        return "threshold is NaN";
    }
    return NULL;
}

/* Every tree begins behind the one before it, the first at node 0. */
static const char *check_roots(const Forest *forest) {
    for (size_t tree = 0; tree < forest->tree_count; tree++) {
        size_t past = forest->node_count;
        if (tree + 1 < forest->tree_count) {
            past = forest->roots[tree + 1];
        }
        if ((tree == 0 && forest->roots[0] != 0) || forest->roots[tree] >= past ||
            past > forest->node_count) {
            return "bad root";
        }
    }
    return NULL;
}

static const char *check_nodes(Forest *forest) {
    for (size_t tree = 0; tree < forest->tree_count; tree++) {
        size_t past = forest->node_count;
        if (tree + 1 < forest->tree_count) {
            past = forest->roots[tree + 1];
        }
        for (size_t place = forest->roots[tree]; place < past; place++) {
            const Node *node = forest->nodes + place;
            const char *fault;
            if (node->child == place) {
                fault = check_leaf(forest, node);
            } else {
                fault = check_inner(forest, node, place, past);
                forest->has_categories[tree] |= (node->feature & CATEGORICAL) != 0;
            }
            if (fault != NULL) {
                return fault;
            }
        }
    }
    return NULL;
}

/* ---- Python's side ---- */

static void release_forest(Forest *forest) {
    free(forest->nodes);
    free(forest->roots);
    free(forest->bits);
    free(forest->leaves);
    free(forest->init);
    free(forest->has_categories);
    free(forest);
}

static void destroy(PyObject *capsule) {
    Forest *forest = PyCapsule_GetPointer(capsule, CAPSULE_NAME);
    if (forest != NULL) {
        release_forest(forest);
    }
}

/* The forest keeps copies: nobody can change them after they were checked. */
static void *copy_buffer(const Py_buffer *buffer) {
    void *copy = malloc(buffer->len > 0 ? (size_t)buffer->len : 1);
    if (copy != NULL) {
        memcpy(copy, buffer->buf, (size_t)buffer->len);
    }
    return copy;
}

enum { NODES, ROOTS, BITS, LEAVES, INIT, BUFFERS };

static const char *fill(Forest *forest, const Py_buffer *buffers) {
    if ((size_t)buffers[NODES].len % sizeof(Node) || buffers[ROOTS].len % 4 ||
        buffers[BITS].len % 4 || buffers[LEAVES].len % 8 ||
        (size_t)buffers[INIT].len != sizeof(double) * (size_t)forest->output_count) {
        return "bad size";
    }
    forest->node_count = (size_t)buffers[NODES].len / sizeof(Node);
    forest->tree_count = (size_t)buffers[ROOTS].len / 4;
    forest->word_count = (size_t)buffers[BITS].len / 4;
    forest->leaf_count = (size_t)buffers[LEAVES].len / 8;
    forest->nodes = copy_buffer(buffers + NODES);
    forest->roots = copy_buffer(buffers + ROOTS);
    forest->bits = copy_buffer(buffers + BITS);
    forest->leaves = copy_buffer(buffers + LEAVES);
    forest->init = copy_buffer(buffers + INIT);
    forest->has_categories = calloc(forest->tree_count + 1, 1);
    if (forest->nodes == NULL || forest->roots == NULL || forest->bits == NULL ||
        forest->leaves == NULL || forest->init == NULL || forest->has_categories == NULL) {
        return "out of memory";
    }
    const char *fault = check_header(forest);
    if (fault == NULL) {
        fault = check_roots(forest);
    }
    return fault != NULL ? fault : check_nodes(forest);
}

static PyObject *build(PyObject *Py_UNUSED(module), PyObject *arguments) {
    Py_buffer buffers[BUFFERS];
    Forest *forest = calloc(1, sizeof *forest);
    if (forest == NULL) {
        return PyErr_NoMemory();
    }
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*y*IIIIIIdd", &buffers[NODES], &buffers[ROOTS],
                          &buffers[BITS], &buffers[LEAVES], &buffers[INIT],
                          &forest->feature_count, &forest->output_count, &forest->width,
                          &forest->cast, &forest->float32_sums, &forest->link, &forest->scale,
                          &forest->bias)) {
        free(forest);
        return NULL;
    }
    const char *fault = fill(forest, buffers);
    for (size_t i = 0; i < BUFFERS; i++) {
        PyBuffer_Release(&buffers[i]);
    }
    PyObject *capsule = NULL;
    if (fault != NULL) {
        PyErr_SetString(PyExc_ValueError, fault);
    } else {
        capsule = PyCapsule_New(forest, CAPSULE_NAME, destroy);
    }
    if (capsule == NULL) {
        release_forest(forest);
    }
    return capsule;
}

static int is_aligned(const Py_buffer *buffer) {
    return (uintptr_t)buffer->buf % sizeof(double) == 0;
}

/* Returns 0, or -1 with a Python error set. */
static int predict_all(const Forest *forest, const double *source, double *out, size_t count,
                       unsigned int link) {
    size_t stride = (size_t)forest->feature_count + 1;
    if (count == 1 && stride <= STACK_FEATURES) { /* too short to give the interpreter away */
        double row[STACK_FEATURES];
        predict_row(forest, source, out, row, link);
        return 0;
    }
    size_t block = ROWS_FOR_SMALL_TREES;
    if (forest->node_count / forest->tree_count > BIG_TREE_NODES) {
        block = ROWS_FOR_BIG_TREES;
    }
    if (block > count) {
        block = (count + GROUP - 1) / GROUP * GROUP;
    }
    double *rows = malloc(block * stride * sizeof(double));
    if (rows == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Py_BEGIN_ALLOW_THREADS
    for (size_t start = 0; start < count; start += block) {
        size_t left = count - start;
        predict_rows(forest, source + start * forest->feature_count,
                     out + start * forest->output_count, rows, left < block ? left : block, link);
    }
    Py_END_ALLOW_THREADS
    free(rows);
    return 0;
}

static PyObject *predict(PyObject *Py_UNUSED(module), PyObject *arguments) {
    PyObject *capsule;
    Py_buffer source;
    Py_buffer out;
    int raw = 0;
    int failed = 1;
    if (!PyArg_ParseTuple(arguments, "Oy*w*i", &capsule, &source, &out, &raw)) {
        return NULL;
    }
    const Forest *forest = PyCapsule_GetPointer(capsule, CAPSULE_NAME);
    if (forest != NULL) {
        size_t row_bytes = sizeof(double) * forest->feature_count;
        size_t count = (size_t)source.len / row_bytes;
        unsigned int link = raw ? IDENTITY : forest->link;
        if ((size_t)source.len != count * row_bytes || !is_aligned(&source) || !is_aligned(&out) ||
            (size_t)out.len != count * forest->output_count * sizeof(double)) {
            PyErr_SetString(PyExc_ValueError, "bad shape");
        } else {
            failed = predict_all(forest, source.buf, out.buf, count, link);
        }
    }
    PyBuffer_Release(&source);
    PyBuffer_Release(&out);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* out = rows @ weights + bias, summed input by input in the order of the inputs: BLAS sums one
   row and a batch in different orders, and so to different bits. Zeros (most of a one-hot row,
   half of what a ReLU passes on) are skipped. */
static void dense_row(const double *row, const double *weights, const double *bias, double *out,
                      size_t inputs, size_t outputs, int relu) {
    memcpy(out, bias, outputs * sizeof(double));
    for (size_t p = 0; p < inputs; p++) {
        const double value = row[p];
        const double *weight = weights + p * outputs;
        if (value != 0.0) {
            for (size_t q = 0; q < outputs; q++) {
                out[q] += value * weight[q];
            }
        }
    }
    if (relu) {
        for (size_t q = 0; q < outputs; q++) {
            out[q] = out[q] > 0.0 ? out[q] : 0.0;
        }
    }
}

static PyObject *dense(PyObject *Py_UNUSED(module), PyObject *arguments) {
    enum { ROWS, WEIGHTS, BIAS, OUT, COUNT };
    Py_buffer buffers[COUNT];
    int relu;
    int fits = 1;
    if (!PyArg_ParseTuple(arguments, "y*y*y*w*i", &buffers[ROWS], &buffers[WEIGHTS],
                          &buffers[BIAS], &buffers[OUT], &relu)) {
        return NULL;
    }
    size_t outputs = (size_t)buffers[BIAS].len / 8;
    size_t inputs = outputs ? (size_t)buffers[WEIGHTS].len / 8 / outputs : 0;
    size_t count = inputs ? (size_t)buffers[ROWS].len / 8 / inputs : 0;
    if (count == 0 || (size_t)buffers[BIAS].len != outputs * 8 ||
        (size_t)buffers[WEIGHTS].len != inputs * outputs * 8 ||
        (size_t)buffers[ROWS].len != count * inputs * 8 ||
        (size_t)buffers[OUT].len != count * outputs * 8) {
        fits = 0;
    }
    for (size_t i = 0; i < COUNT; i++) {
        fits = fits && is_aligned(&buffers[i]);
    }
    if (fits) {
        const double *row = buffers[ROWS].buf;
        double *out = buffers[OUT].buf;
        PyThreadState *thread = count > 1 ? PyEval_SaveThread() : NULL;
        for (size_t i = 0; i < count; i++) {
            dense_row(row + i * inputs, buffers[WEIGHTS].buf, buffers[BIAS].buf, out + i * outputs,
                      inputs, outputs, relu);
        }
        if (thread != NULL) {
            PyEval_RestoreThread(thread);
        }
    } else {
        PyErr_SetString(PyExc_ValueError, "bad shape");
    }
    for (size_t i = 0; i < COUNT; i++) {
        PyBuffer_Release(&buffers[i]);
    }
    if (!fits) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"build", build, METH_VARARGS, "Validate a node table and return the forest."},
    {"predict", predict, METH_VARARGS, "Fill `out` with the forest's scores of the rows."},
    {"dense", dense, METH_VARARGS, "Fill `out` with rows @ weights + bias."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "bundle._flatforest", NULL, -1, functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__flatforest(void) {
    return PyModule_Create(&definition);
}
