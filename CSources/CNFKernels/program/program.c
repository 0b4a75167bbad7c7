#include "program/program.h"
#include "simd/activations/traits.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CNF_LAYER_NORM_EPSILON 1e-5 /* PyTorch's default */

static int is_activation(int32_t activation) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) case value:
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
    return 1;
  }
  return 0;
}

static cnf_status check_callback(const cnf_callback *callback) {
  if (!callback) return CNF_ERROR_NULL;
  if (callback->struct_size != sizeof *callback) return CNF_ERROR_STRUCT_SIZE;
  if (!callback->evaluate) return CNF_ERROR_NULL;
  return callback->parameter_count > PTRDIFF_MAX / 64 ? CNF_ERROR_SIZE : CNF_OK;
}

/* SLICE's rows within its input's; LAYER_NORM's epsilon, DROPOUT's rate, SCALE's factor and offset; 0 where an op has none. */
static cnf_status check_first_and_number(const cnf_op *op, const cnf_block *blocks) {
  if (op->kind == CNF_OP_SLICE && (op->first < 0 || op->first > blocks[op->input].rows - op->rows))
    return CNF_ERROR_OP_SHAPE;
  if (op->kind != CNF_OP_SLICE && op->first) return CNF_ERROR_OP_RESERVED;
  if (op->kind != CNF_OP_SCALE && op->offset != 0) return CNF_ERROR_OP_RESERVED;
  switch (op->kind) {
  case CNF_OP_LAYER_NORM: return op->number >= 0 && isfinite(op->number) ? CNF_OK : CNF_ERROR_OP_NUMBER;
  case CNF_OP_SCALE: return isfinite(op->number) && isfinite(op->offset) ? CNF_OK : CNF_ERROR_OP_NUMBER;
  case CNF_OP_DROPOUT: return op->number >= 0 && op->number < 1 ? CNF_OK : CNF_ERROR_OP_NUMBER;
  }
  return op->number == 0 ? CNF_OK : CNF_ERROR_OP_RESERVED;
}

static int two_rows_fit(const cnf_op *op, const cnf_block *blocks) {
  const int32_t a = blocks[op->input].rows, b = blocks[op->input2].rows;
  return op->kind == CNF_OP_CONCAT || a == b || (op->kind == CNF_OP_MULTIPLY && b == 1);
}

static cnf_status check_op(const cnf_op *op, int32_t number, const cnf_block *blocks) {
  if (op->kind < CNF_OP_LINEAR || op->kind > CNF_OP_SUM) return CNF_ERROR_OP_KIND;
  const int wants_input = cnf_op_operands(op) > 0, wants_input2 = cnf_op_operands(op) > 1;
  const int has_rows = op->kind == CNF_OP_LINEAR || op->kind == CNF_OP_CALLBACK || op->kind == CNF_OP_SLICE ||
                       op->kind == CNF_OP_CONTEXT;
  if (wants_input && (op->input < 0 || op->input > number)) return CNF_ERROR_OP_INPUT;
  if (wants_input2 && (op->input2 < 0 || op->input2 > number)) return CNF_ERROR_OP_INPUT;
  if ((op->kind == CNF_OP_LINEAR || op->kind == CNF_OP_ACTIVATION) && !is_activation(op->activation))
    return CNF_ERROR_ACTIVATION;
  if (has_rows && (op->rows < 1 || op->rows > CNF_MAX_ROWS)) return CNF_ERROR_OP_SHAPE;
  if (wants_input2 && !two_rows_fit(op, blocks)) return CNF_ERROR_OP_SHAPE;
  /* what an op does not use is held at its neutral value, so that later versions may give it a meaning */
  if (op->reserved[0] || (op->tied && op->kind != CNF_OP_TRANSPOSED) || (op->callback && op->kind != CNF_OP_CALLBACK))
    return CNF_ERROR_OP_RESERVED;
  if ((!wants_input && op->input != CNF_NO_BLOCK) || (!wants_input2 && op->input2 != CNF_NO_BLOCK) ||
      (!has_rows && op->rows) || (op->kind != CNF_OP_LINEAR && op->kind != CNF_OP_ACTIVATION && op->activation))
    return CNF_ERROR_OP_RESERVED;
  const cnf_status status = check_first_and_number(op, blocks);
  return !status && op->kind == CNF_OP_CALLBACK ? check_callback(op->callback) : status;
}

/* What an op of the kinds below reads beside its operands, or keeps. */
static cnf_status place_extras(cnf_program *p, cnf_plan *plan) {
  switch (plan->op.kind) {
  case CNF_OP_TRANSPOSED:
    plan->source = plan->op.tied - 1;
    plan->cols = p->plans[plan->source].rows;
    p->products += (size_t)plan->rows * (size_t)plan->cols;
    break;
  case CNF_OP_CONTEXT:
    if (p->context_dim > 0 && p->context_dim != plan->rows) return CNF_ERROR_CONTEXT;
    p->context_dim = plan->rows;
    break;
  case CNF_OP_LAYER_NORM:
    if (plan->op.number == 0) plan->op.number = CNF_LAYER_NORM_EPSILON;
    plan->aux_row = p->aux_rows;
    p->aux_rows += plan->rows + 1;
    plan->bias = plan->weight + (size_t)plan->rows;
    p->parameter_count = plan->bias + (size_t)plan->rows;
    break;
  case CNF_OP_DROPOUT:
    plan->mask_row = p->mask_rows;
    p->mask_rows += plan->rows;
    break;
  }
  return CNF_OK;
}

/* A TRANSPOSED op takes the weights of a LINEAR op before it, which has as many rows as its input. */
static cnf_status check_tied(const cnf_program *p, const cnf_op *op, int32_t number) {
  if (op->kind != CNF_OP_TRANSPOSED) return CNF_OK;
  if (op->tied < 1 || op->tied > number || p->plans[op->tied - 1].op.kind != CNF_OP_LINEAR) return CNF_ERROR_OP_INPUT;
  return p->blocks[op->tied].rows == p->blocks[op->input].rows ? CNF_OK : CNF_ERROR_OP_SHAPE;
}

/* Rows, rows' places, parameters and kept panels of op `number`, whose operands are planned already. */
static cnf_status place_op(cnf_program *p, int32_t number) {
  cnf_plan *plan = &p->plans[number];
  cnf_block *block = &p->blocks[number + 1];
  const cnf_op *op = &plan->op;
  const cnf_block *a = cnf_op_operands(op) > 0 ? &p->blocks[op->input] : NULL;
  const cnf_block *b = cnf_op_operands(op) > 1 ? &p->blocks[op->input2] : NULL;
  switch (op->kind) {
  case CNF_OP_SLICE:
  case CNF_OP_CONTEXT:
  case CNF_OP_LINEAR:
  case CNF_OP_CALLBACK: block->rows = op->rows; break;
  case CNF_OP_SUM:
  case CNF_OP_TIME: block->rows = 1; break;
  case CNF_OP_TRANSPOSED: block->rows = p->plans[op->tied - 1].cols; break;
  case CNF_OP_CONCAT: block->rows = a->rows + b->rows; break;
  default: block->rows = a->rows;
  }
  block->from_state = (a && a->from_state) || (b && b->from_state);
  plan->rows = block->rows;
  if (p->value_rows > CNF_MAX_ROWS - block->rows) return CNF_ERROR_SIZE;
  p->value_rows += block->rows; /* at most: place_rows */
  if (block->rows > p->widest) p->widest = block->rows;
  plan->aux_row = plan->pre_row = -1;
  if (op->kind == CNF_OP_LINEAR || op->kind == CNF_OP_ACTIVATION) {
    if (cnf_activation_keeps_aux(op->activation)) plan->aux_row = p->aux_rows, p->aux_rows += plan->rows;
    if (cnf_activation_keeps_pre_tangent(op->activation)) plan->pre_row = p->pre_rows, p->pre_rows += plan->rows;
  }
  plan->weight = p->parameter_count;
  const cnf_status status = place_extras(p, plan);
  if (status) return status;
  if (op->kind == CNF_OP_CALLBACK) {
    plan->callback = *op->callback;
    plan->op.callback = NULL;
    plan->cols = a->rows;
    plan->aux_row = p->aux_rows++;
    p->parameter_count += plan->callback.parameter_count;
    p->products += (size_t)plan->rows * (size_t)plan->cols;
  }
  if (op->kind == CNF_OP_LINEAR) {
    plan->source = number;
    plan->cols = a->rows;
    plan->bias = plan->weight + (size_t)plan->rows * (size_t)plan->cols;
    p->parameter_count = plan->bias + (size_t)plan->rows;
    p->products += (size_t)plan->rows * (size_t)plan->cols;
  }
  const int32_t held = cnf_plan_held_rows(p, plan);
  if (p->held_rows > CNF_MAX_ROWS - held || p->aux_rows > CNF_MAX_ROWS) return CNF_ERROR_SIZE;
  p->held_rows += held; /* at most: plan_bends */
  return p->parameter_count > PTRDIFF_MAX / 64 ? CNF_ERROR_SIZE : CNF_OK;
}

/* From the last op to the first: who matters, and who finds the cotangent of its operand already begun. */
static void plan_reverse(cnf_program *p, int32_t *written) {
  p->plans[p->op_count - 1].live = 1;
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    cnf_plan *plan = &p->plans[i];
    if (!plan->live || cnf_op_operands(&plan->op) == 0) continue;
    if (cnf_op_multiplies(&plan->op)) p->plans[plan->source].weights_read = 1;
    p->callbacks += plan->op.kind == CNF_OP_CALLBACK;
    plan->accumulate = written[plan->op.input];
    written[plan->op.input] = 1;
    if (plan->op.input > 0) p->plans[plan->op.input - 1].live = 1;
    if (cnf_op_operands(&plan->op) < 2) continue;
    plan->accumulate2 = written[plan->op.input2];
    written[plan->op.input2] = 1;
    if (plan->op.input2 > 0) p->plans[plan->op.input2 - 1].live = 1;
  }
}

/* Where blocks lie in panels: back to back, but a concatenation of neighbours that nobody else reads takes no room of its own. */
static void place_rows(cnf_program *p, int32_t *readers) {
  memset(readers, 0, ((size_t)p->op_count + 1) * sizeof *readers);
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_op *op = &p->plans[i].op;
    if (p->plans[i].live && op->input >= 0) readers[op->input]++;
    if (p->plans[i].live && op->input2 >= 0) readers[op->input2]++;
  }
  p->value_rows = p->state_dim;
  for (int32_t i = 0; i < p->op_count; i++) {
    cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    cnf_block *block = &p->blocks[i + 1];
    block->row = p->value_rows;
    if (op->kind == CNF_OP_CONCAT) {
      const cnf_block *a = &p->blocks[op->input], *b = &p->blocks[op->input2];
      plan->is_view = b->row == a->row + a->rows && readers[op->input] == 1 && readers[op->input2] == 1;
      if (plan->is_view) block->row = a->row;
    }
    if (!plan->is_view) p->value_rows += block->rows;
  }
}

/* Is `block` the state, or the state's rows followed by rows that do not depend on it: time, context, what is made of them? */
static int begins_with_state(const cnf_program *p, int32_t block) {
  if (block == CNF_STATE) return 1;
  const cnf_op *op = &p->plans[block - 1].op;
  return op->kind == CNF_OP_CONCAT && !p->blocks[op->input2].from_state && begins_with_state(p, op->input);
}

static cnf_trace_product find_trace_product(const cnf_program *p) {
  cnf_trace_product none = {.hidden = -1}, found = {.hidden = -1};
  int32_t block = p->op_count, depth = 0, from_last[3];
  for (; depth < 3 && block > 0 && p->plans[block - 1].op.kind == CNF_OP_LINEAR; depth++) {
    from_last[depth] = block - 1;
    if (depth == 0 && p->plans[block - 1].op.activation != CNF_ACTIVATION_IDENTITY) return none;
    block = p->plans[block - 1].op.input;
    if (begins_with_state(p, block)) {
      found.hidden = depth;
      for (int32_t i = 0; i <= depth; i++) found.layers[i] = from_last[depth - i];
      return found;
    }
  }
  return none;
}

cnf_status cnf_program_make(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, cnf_program *program,
                            int32_t *bad_op, int32_t *rows) {
  *bad_op = -1;
  memset(program, 0, sizeof *program);
  if (dtype != CNF_FLOAT32 && dtype != CNF_FLOAT64) return CNF_ERROR_DTYPE;
  if (state_dim < 1 || state_dim > CNF_MAX_ROWS || op_count < 1 || op_count > CNF_MAX_ROWS) return CNF_ERROR_SIZE;
  cnf_program p = {
      .dtype = dtype, .state_dim = state_dim, .op_count = op_count, .value_rows = state_dim, .widest = state_dim};
  p.plans = calloc((size_t)op_count, sizeof *p.plans);
  p.blocks = calloc((size_t)op_count + 1, sizeof *p.blocks);
  int32_t *written = calloc((size_t)op_count + 1, sizeof *written);
  cnf_status status = p.plans && p.blocks && written ? CNF_OK : CNF_ERROR_MEMORY;
  if (!status) p.blocks[0] = (cnf_block){.row = 0, .rows = state_dim, .from_state = 1};
  for (int32_t i = 0; i < op_count && !status; i++) {
    p.plans[i].op = ops[i];
    status = check_op(&ops[i], i, p.blocks);
    if (!status) status = check_tied(&p, &ops[i], i);
    if (!status) status = place_op(&p, i);
    if (status) *bad_op = i;
  }
  for (int32_t i = 0; rows && p.blocks && i <= op_count; i++) rows[i] = p.blocks[i].rows;
  if (!status && p.blocks[op_count].rows != state_dim) status = CNF_ERROR_FIELD_SHAPE, *bad_op = op_count - 1;
  if (!status) {
    plan_reverse(&p, written);
    p.state_read = written[CNF_STATE];
    place_rows(&p, written);
    cnf_program_plan_tangents(&p, written);
    p.trace = find_trace_product(&p);
    *program = p;
  } else {
    cnf_program_free(&p);
  }
  free(written);
  return status;
}

cnf_status cnf_program_check_callbacks(const cnf_program *program, int32_t trace, int with_gradient) {
  const int by_tangents = trace == CNF_TRACE_HUTCHINSON || trace == CNF_TRACE_EXACT_TANGENTS;
  for (int32_t i = 0; i < program->op_count; i++) {
    const cnf_plan *plan = &program->plans[i];
    if (!plan->live || plan->op.kind != CNF_OP_CALLBACK) continue;
    if (by_tangents && plan->bends && !plan->callback.tangent) return CNF_ERROR_CALLBACK_TANGENT;
    if (with_gradient && !plan->callback.reverse) return CNF_ERROR_CALLBACK_REVERSE;
    if (with_gradient && by_tangents && plan->bends && !plan->callback.tangent_reverse)
      return CNF_ERROR_CALLBACK_TANGENT_REVERSE;
  }
  return CNF_OK;
}

cnf_status cnf_program_copy(const cnf_program *from, cnf_program *to) {
  *to = *from;
  to->plans = malloc((size_t)from->op_count * sizeof *to->plans);
  to->blocks = malloc(((size_t)from->op_count + 1) * sizeof *to->blocks);
  if (!to->plans || !to->blocks) {
    cnf_program_free(to);
    return CNF_ERROR_MEMORY;
  }
  memcpy(to->plans, from->plans, (size_t)from->op_count * sizeof *to->plans);
  memcpy(to->blocks, from->blocks, ((size_t)from->op_count + 1) * sizeof *to->blocks);
  return CNF_OK;
}

void cnf_program_free(cnf_program *program) {
  free(program->plans);
  free(program->blocks);
  program->plans = NULL;
  program->blocks = NULL;
}
