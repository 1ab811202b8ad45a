"""What was done in napari with ChannelMix, to be done again without a window."""

import numpy as np

import napari_channelmix as cm

# The cells.
cells = cm.open_dataset("plate/dataset.toml")
if cells.fingerprint != "ae84aaa2db59bdbc210d7a8023609cb8a80675f8cc705eb2eb5c32fa46581925":
    raise SystemExit("the data set has changed since this script was written")
print(f"{len(cells)} cells: {cells.class_counts}")

# The classifier: whole groups are held out, and it is measured on those.
train, test = cells.split(test=0.25, seed=0)
model = cm.train_classifier(train, epochs=3, network="tiny", seed=0, mixes=0)
model = model.calibrate(test)
predicted = model.predict(test, prior="balanced")
recall = [np.mean(predicted[test.labels == code] == code) for code in set(test.labels)]
print(f"balanced accuracy, held-out cells: {np.mean(recall):.4f}")
print(cm.evaluate(model, test).words)

# Which channels the classifier needs; each group is held out in turn.
importance = cm.channel_importance(
    cells,
    epochs=2,
    network="tiny",
    held_out=0.25,
    seed=0,
    seeds=2,
    shapley=True,
    decoys=True,
    split_seed=0,
)
print(importance.verdict)
print(importance.gate)
print(importance.to_frame())

# Which pixels of cells 1, 2.
found = cm.explain(
    model,
    cells,
    method="pcim",
    channels="shared",
    seed=0,
    device="auto",
    only=[1, 2],
    batch=1,
)
print([found.classes[code] for code in found.target], found.scores())

# What each cell is like, along named axes.
latents = cm.latents(cells, "texture-sprites", finetune=0, seed=0, device="auto")
for one in latents.trust:
    print(f"{one.name}: {one.badge} ({one.words})")
