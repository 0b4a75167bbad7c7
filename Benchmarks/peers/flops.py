"""Floating-point operations that cnf executes: the multiply-adds of its matrix products, 2 operations each, nothing else.

Letters, per sample: S the multiply-adds of the net's value (inputs * outputs over all layers), S2 those of the layers from hidden
to hidden alone. The probe is constant in a solve, so a probed tangent costs S2: what the first and the last layer do to the
probe is computed once a solve. Reverse costs twice the forward of whatever it reverses.

    value                    S
    probed trace             S2
    exact trace, product     S2                           (at most two hidden layers: trace_product_body.h of CNFKernels)
    exact trace, tangents    D S2 + last layer            (the first layer's tangents are its columns; of the last, the diagonal)
    reverse of the value     2 S
    reverse of the trace     2 trace

A stage has a trace if its weight in the step or in the error estimate is not 0, and the reverse of one if its weight in
the step is not 0. A stage is reversed if anything that reaches the end depends on it: not the last of a first-same-as-last
method. Rejected steps are not reversed.
"""

STORES_STAGES = True  # False: reverse runs each stage's value and trace forward once more


def trace_products(workload, trace):
    """Multiply-adds of one divergence."""
    layers = workload.layers
    hidden_to_hidden = sum(inputs * outputs for inputs, outputs in layers[1:-1])
    last = layers[-1][0] * layers[-1][1]
    return {
        "none": 0,
        "hutchinson": hidden_to_hidden,
        "product": hidden_to_hidden,
        "tangents": workload.dim * hidden_to_hidden + last,
    }[trace]


def executed(workload, task, mode, counts):
    """Of one run over the whole batch; `counts` is what worker_cnf says of the run: means over samples, tableau, trace."""
    value, trace = workload.multiply_adds, trace_products(workload, counts["trace"])
    tableau = counts["tableau"]
    a, b, e = tableau["a"], tableau["b"], tableau["e"]
    stages = range(tableau["stages"])
    is_adaptive = mode == "adaptive"

    # Stages that a step evaluates anew: all, or all but the first where the last step's last serves.
    new = [i for i in stages if not (tableau["is_fsal"] and is_adaptive and i == 0)]
    traced = sum(1 for i in new if b[i] != 0 or (is_adaptive and e[i] != 0))
    steps = counts["accepted"] + counts["rejected"]
    beside_steps = counts["evaluations"] - steps * len(new)  # the first stage of all, the choice of the first step
    total = counts["evaluations"] * value + (beside_steps + steps * traced) * trace

    if task == "train":
        reaching = set()
        for i in reversed(stages):
            if b[i] != 0 or any(a[j][i] != 0 for j in reaching):
                reaching.add(i)
        weighted = sum(1 for i in stages if b[i] != 0)
        times = 2 if STORES_STAGES else 3
        total += counts["accepted"] * times * (len(reaching) * value + weighted * trace)
    return 2 * workload.batch * total
