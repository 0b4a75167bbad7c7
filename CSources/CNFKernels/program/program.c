/* Checks field programs, and plans where their blocks, parameters and kept values lie. */
#include "program/program.h"
#include "simd/activations/traits.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static cnf_status check_number(const cnf_op *op) {
  int accepted = 0;
  switch ((cnf_number_rule)cnf_op_rows[op->kind].number) {
  case CNF_NUMBER_UNUSED: return op->number == 0 ? CNF_OK : CNF_ERROR_OP_RESERVED;
  case CNF_NUMBER_FINITE: accepted = isfinite(op->number); break;
  case CNF_NUMBER_NOT_NEGATIVE: accepted = op->number >= 0 && isfinite(op->number); break;
  case CNF_NUMBER_RATE: accepted = op->number >= 0 && op->number < 1; break;
  }
  return accepted && isfinite(op->offset) ? CNF_OK : CNF_ERROR_OP_NUMBER;
}

/* Members that the kind does not use must be 0, or CNF_NO_BLOCK. */
static int unused_members_are_clear(const cnf_op *op) {
  const int32_t operands = cnf_op_operands(op);
  return !op->reserved[0] && (operands > 0 || op->input == CNF_NO_BLOCK) &&
         (operands > 1 || op->input2 == CNF_NO_BLOCK) && (cnf_op_uses(op, CNF_USES_ROWS) || !op->rows) &&
         (cnf_op_uses(op, CNF_USES_ACTIVATION) || !op->activation) &&
         (cnf_op_uses(op, CNF_USES_CALLBACK) || !op->callback) && (cnf_op_uses(op, CNF_USES_TIED) || !op->tied);
}

/* Row counts that the operands and the op itself give. */
static int rows_fit(const cnf_op *op, const cnf_block *blocks) {
  if (cnf_op_uses(op, CNF_USES_ROWS) && (op->rows < 1 || op->rows > CNF_MAX_ROWS)) return 0;
  if (cnf_op_operands(op) < 2) return 1;
  const int32_t a = blocks[op->input].rows, b = blocks[op->input2].rows;
  const int32_t rule = cnf_op_rows[op->kind].second;
  return a == b || rule == CNF_SECOND_ANY || (rule == CNF_SECOND_SAME_OR_ONE && b == 1);
}

/* The tied op is a LINEAR before this one, whose result has as many rows as `input`. */
static cnf_status check_tied(const cnf_program *p, const cnf_op *op, int32_t number) {
  if (op->tied < 1 || op->tied > number || p->plans[op->tied - 1].op.kind != CNF_OP_LINEAR) return CNF_ERROR_OP_INPUT;
  return p->blocks[op->tied].rows == p->blocks[op->input].rows ? CNF_OK : CNF_ERROR_OP_SHAPE;
}

static cnf_status check_op(const cnf_program *p, const cnf_op *op, int32_t number) {
  if (op->kind < 0 || op->kind >= CNF_OP_KINDS) return CNF_ERROR_OP_KIND;
  const int32_t operands = cnf_op_operands(op);
  if (operands > 0 && (op->input < 0 || op->input > number)) return CNF_ERROR_OP_INPUT;
  if (operands > 1 && (op->input2 < 0 || op->input2 > number)) return CNF_ERROR_OP_INPUT;
  if (cnf_op_uses(op, CNF_USES_ACTIVATION) && !is_activation(op->activation)) return CNF_ERROR_ACTIVATION;
  if (!rows_fit(op, p->blocks)) return CNF_ERROR_OP_SHAPE;
  if (!unused_members_are_clear(op)) return CNF_ERROR_OP_RESERVED;
  if (cnf_op_uses(op, CNF_USES_FIRST) && (op->first < 0 || op->first > p->blocks[op->input].rows - op->rows))
    return CNF_ERROR_OP_SHAPE;
  if (!cnf_op_uses(op, CNF_USES_FIRST) && op->first) return CNF_ERROR_OP_RESERVED;
  if (!cnf_op_uses(op, CNF_USES_OFFSET) && op->offset != 0) return CNF_ERROR_OP_RESERVED;
  cnf_status status = check_number(op);
  if (!status && cnf_op_uses(op, CNF_USES_CALLBACK)) status = check_callback(op->callback);
  if (!status && cnf_op_uses(op, CNF_USES_TIED)) status = check_tied(p, op, number);
  return status;
}

static int32_t result_rows(const cnf_program *p, const cnf_op *op) {
  switch ((cnf_rows_rule)cnf_op_rows[op->kind].rows) {
  case CNF_ROWS_OF_INPUT: return p->blocks[op->input].rows;
  case CNF_ROWS_GIVEN: return op->rows;
  case CNF_ROWS_ONE: return 1;
  case CNF_ROWS_JOINED: return p->blocks[op->input].rows + p->blocks[op->input2].rows;
  case CNF_ROWS_TIED: return p->plans[op->tied - 1].cols;
  }
  return 0;
}

/* Rows, parameters and kept panels of op `number`, whose operands are planned already. */
static cnf_status place_op(cnf_program *p, int32_t number) {
  cnf_plan *plan = &p->plans[number];
  cnf_block *block = &p->blocks[number + 1];
  const cnf_op *op = &plan->op;
  block->rows = plan->rows = result_rows(p, op);
  block->from_state = (cnf_op_operands(op) > 0 && p->blocks[op->input].from_state) ||
                      (cnf_op_operands(op) > 1 && p->blocks[op->input2].from_state);
  if (p->value_rows > CNF_MAX_ROWS - block->rows) return CNF_ERROR_SIZE;
  p->value_rows += block->rows; /* an upper bound: place_rows finds views */
  if (block->rows > p->widest) p->widest = block->rows;
  plan->aux_row = plan->pre_row = -1;
  if (cnf_op_uses(op, CNF_USES_ACTIVATION)) {
    if (cnf_activation_keeps_aux(op->activation)) plan->aux_row = p->aux_rows, p->aux_rows += plan->rows;
    if (cnf_activation_keeps_pre_tangent(op->activation)) plan->pre_row = p->pre_rows, p->pre_rows += plan->rows;
  }
  plan->weight = p->parameter_count;
  const cnf_status status = cnf_op_rows[op->kind].place ? cnf_op_rows[op->kind].place(p, plan) : CNF_OK;
  if (status) return status;
  p->parameter_count += plan->parameter_count;
  if (p->divergence_rows > CNF_MAX_ROWS - plan->divergence_rows || p->aux_rows > CNF_MAX_ROWS) return CNF_ERROR_SIZE;
  p->divergence_rows += plan->divergence_rows; /* an upper bound: tangent_plan.c counts those of nonlinear ops */
  return p->parameter_count > PTRDIFF_MAX / 64 ? CNF_ERROR_SIZE : CNF_OK;
}

/* From the last op to the first: which ops dx/dt depends on, and which find the cotangent of an operand already
 * written. */
static void plan_reverse(cnf_program *p, int32_t *written) {
  p->plans[p->op_count - 1].live = 1;
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    cnf_plan *plan = &p->plans[i];
    if (!plan->live || cnf_op_operands(&plan->op) == 0) continue;
    if (cnf_op_multiplies(&plan->op)) p->plans[plan->source].weights_read = 1;
    p->callbacks += cnf_op_uses(&plan->op, CNF_USES_CALLBACK);
    plan->accumulate = written[plan->op.input];
    written[plan->op.input] = 1;
    if (plan->op.input > 0) p->plans[plan->op.input - 1].live = 1;
    if (cnf_op_operands(&plan->op) < 2) continue;
    plan->accumulate2 = written[plan->op.input2];
    written[plan->op.input2] = 1;
    if (plan->op.input2 > 0) p->plans[plan->op.input2 - 1].live = 1;
  }
}

/* Blocks lie back to back in panels. A concatenation of neighbours that no other op reads takes their rows: it is a
 * view. */
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
    if (cnf_op_rows[op->kind].rows == CNF_ROWS_JOINED) {
      const cnf_block *a = &p->blocks[op->input], *b = &p->blocks[op->input2];
      plan->is_view = b->row == a->row + a->rows && readers[op->input] == 1 && readers[op->input2] == 1;
      if (plan->is_view) block->row = a->row;
    }
    if (!plan->is_view) p->value_rows += block->rows;
  }
}

/* 1: `block` is the state, or the state's rows followed by rows that do not depend on it. */
static int begins_with_state(const cnf_program *p, int32_t block) {
  if (block == CNF_STATE) return 1;
  const cnf_op *op = &p->plans[block - 1].op;
  return cnf_op_rows[op->kind].rows == CNF_ROWS_JOINED && !p->blocks[op->input2].from_state &&
         begins_with_state(p, op->input);
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
    status = check_op(&p, &ops[i], i);
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
    if (!plan->live || !cnf_op_uses(&plan->op, CNF_USES_CALLBACK)) continue;
    if (by_tangents && plan->is_nonlinear && !plan->callback.tangent) return CNF_ERROR_CALLBACK_TANGENT;
    if (with_gradient && !plan->callback.reverse) return CNF_ERROR_CALLBACK_REVERSE;
    if (with_gradient && by_tangents && plan->is_nonlinear && !plan->callback.tangent_reverse)
      return CNF_ERROR_CALLBACK_TANGENT_REVERSE;
  }
  return CNF_OK;
}

int cnf_program_reads_time(const cnf_program *program) {
  for (int32_t i = 0; i < program->op_count; i++)
    if (program->plans[i].live && cnf_op_rows[program->plans[i].op.kind].reads_time) return 1;
  return 0;
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
