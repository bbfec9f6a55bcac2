"""Random search on NATS-Bench (topology), as scripts for the official package do it.

Usage: nats_random_search.py FILE
"""

import random
import sys

from nats_bench import create


def search(api, dataset, seconds):
    api.reset_time()
    history = []
    while not history or api.used_time < seconds:
        arch = api.random()
        accuracy, latency, cost, clock = api.simulate_train_eval(arch, dataset=dataset, hp="12")
        history.append((accuracy, arch, latency, cost, clock))
    return max(history), len(history)


def main():
    api = create(sys.argv[1], "tss", fast_mode=False, verbose=False)
    print(api)
    print("architectures:", len(api), "hyper-parameters:", sorted(api.avaliable_hps))
    for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
        for seed in range(3):
            random.seed(seed)
            (accuracy, arch, latency, cost, clock), tried = search(api, dataset, seconds=3000)
            print(dataset, seed, arch, tried, f"{accuracy:.6f}", latency, cost, clock)
            info = api.get_more_info(arch, "cifar10" if dataset == "cifar10" else dataset, hp="200", is_random=False)
            print("  final test:", f"{info['test-accuracy']:.6f}", f"{info['train-all-time']:.6f}")
            print(" ", api.arch(arch), api.get_net_config(arch, dataset))
    api.show(1)
    for index in range(len(api)):
        print(index, api.get_unique_str(index), api.query_index_by_arch(api[index]))
    best = api.find_best("cifar10", "test", hp="200")
    print("best:", best, api.str2lists(api.arch(best[0])))


if __name__ == "__main__":
    main()
