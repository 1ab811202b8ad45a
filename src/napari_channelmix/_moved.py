"""Modules that had another name in earlier versions: the old names still work, with a warning.

The table is read by `OldNames`, which Python asks for modules that nobody else knows. An import by
an old name gives the module of the new name, the same object, so that classes are the same, too.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

__all__ = ["MOVED", "RENAMED", "OldNames", "know_old_names"]

PACKAGE = "napari_channelmix"

#: Old module to new module, both below the package.
MOVED = {
    "classify.copies": "classify.duplicate_cells",
    "classify.deals": "classify.group_permutation",
    "classify.identity": "classify.model_hash",
    "classify.likeness": "classify.training_distance",
    "classify.measured": "classify.evaluated_training",
    "classify.probing": "classify.output_probe",
    "classify.sealed": "classify.weights_file",
    "classify.selecting": "classify.output_selection",
    "classify.training": "classify.training_loop",
    "config.facts": "config.from_results",
    "config.model": "config.schema",
    "data.images": "data.image_formats",
    "data.keys": "data.identifier_columns",
    "data.making": "data.cell_sets",
    "data.natural": "data.natural_order",
    "data.profile": "data.crop_profile",
    "data.saving": "data.write_dataset",
    "dcmix.alone": "dcmix.single_channels",
    "dcmix.answers": "classify.held_out_accuracy",
    "dcmix.channel_features": "classify.channel_features",
    "dcmix.controls": "dcmix.above_control",
    "dcmix.decoys": "dcmix.negative_control",
    "dcmix.divided": "dcmix.importance_of_dataset",
    "dcmix.drawing": "classify.stratified_sample",
    "dcmix.gate": "dcmix.reliability",
    "dcmix.head": "classify.linear_head",
    "dcmix.held_out_accuracy": "classify.held_out_accuracy",
    "dcmix.link": "dcmix.label_link",
    "dcmix.numbers": "classify.channel_features",
    "dcmix.questions": "dcmix.plain_classifiers",
    "dcmix.stratified_sample": "classify.stratified_sample",
    "drl.code": "drl.latent_code",
    "drl.familiar": "drl.finetuned_cells",
    "drl.view": "drl.channel_view",
    "files": "atomic_write",
    "pcim.blackbox": "pcim.blackbox_solver",
    "pcim.exchanged": "pcim.exchanged_channels",
    "pcim.memory": "pcim.batch_size",
    "pcim.picture": "pcim.map_figure",
    "pcim.problem": "pcim.batch",
    "pcim.reliability": "pcim.map_reliability",
    "pcim.solver": "pcim.gradient_solver",
    "pcim.source": "pcim.cell_source",
    "pcim.subject": "pcim.model_adapter",
    "phenotypes.controls": "phenotypes.control_wells",
    "phenotypes.doses": "phenotypes.dose_response",
    "phenotypes.doubt": "phenotypes.label_quality",
    "phenotypes.misfit": "phenotypes.lack_of_fit",
    "readers": "stored_files",
    "report.words": "report.text",
    "run.configured": "run.rerun",
    "run.explaining": "run.explain_dataset",
    "run.latents": "run.encode_dataset",
    "run.mapstore": "run.map_store",
    "run.predict_dataset": "report.predict_dataset",
    "run.predicting": "report.predict_dataset",
    "run.stored": "run.stored_schemas",
    "run.training": "run.train_to_file",
    "viewer.annotate.giving": "viewer.pages.annotate.selection_panel",
    "viewer.annotate.going_on": "viewer.pages.annotate.next_cell_panel",
    "viewer.annotate.jobs": "viewer.autosave.jobs",
    "viewer.annotate.keeping": "viewer.autosave.autosave",
    "viewer.annotate.keys": "viewer.pages.annotate.keys",
    "viewer.annotate.latest": "viewer.pages.annotate.undo_target",
    "viewer.annotate.order": "viewer.pages.annotate.next_cell",
    "viewer.annotate.palette": "viewer.pages.annotate.palette",
    "viewer.annotate.places": "viewer.autosave.location",
    "viewer.annotate.transfer": "viewer.pages.annotate.import_panel",
    "viewer.annotate.unsaved": "viewer.autosave.close_warning",
    "viewer.annotate.words": "viewer.pages.annotate.change_text",
    "viewer.annotate_dock": "viewer.pages.annotate.page",
    "viewer.axis_question": "viewer.pages.data.axis_question",
    "viewer.canvas_context": "viewer.page_parts.canvas_context",
    "viewer.cell_number": "viewer.widgets.cell_number",
    "viewer.cells_in_use": "viewer.pages.data.merging",
    "viewer.cells_panel": "viewer.pages.data.cells_panel",
    "viewer.chance_note": "viewer.page_parts.chance_note",
    "viewer.channels_panel": "viewer.pages.data.channels_panel",
    "viewer.charts.crop_rendering": "data.crop_rendering",
    "viewer.class_bars": "viewer.pages.pixels.probability_bars",
    "viewer.class_legend": "viewer.charts.class_legend",
    "viewer.classifier_box": "viewer.pages.classifier.classifier_menu",
    "viewer.classifier_dock": "viewer.pages.classifier.page",
    "viewer.click_mode": "viewer.selection.click_mode",
    "viewer.clicks": "viewer.selection.clicks",
    "viewer.colors": "viewer.charts.colors",
    "viewer.comparing": "viewer.pages.pixels.comparison_job",
    "viewer.comparison_panel": "viewer.pages.pixels.comparison_panel",
    "viewer.computer_box": "viewer.pages.classifier.compute_status",
    "viewer.curves": "viewer.pages.classifier.training_curves",
    "viewer.data_set_box": "viewer.page_parts.data_set_menu",
    "viewer.data_sets": "viewer.session.data_sets",
    "viewer.dataset_panel": "viewer.pages.data.dataset_panel",
    "viewer.dock": "viewer.page_parts.base_page",
    "viewer.edits": "viewer.session.edits",
    "viewer.explain_dock": "viewer.pages.pixels.page",
    "viewer.explain_mode": "viewer.pages.pixels.explain_mode",
    "viewer.explaining": "viewer.pages.pixels.explain_job",
    "viewer.explanation_cache": "viewer.pages.pixels.cache",
    "viewer.explanation_layers": "viewer.pages.pixels.explanation_layers",
    "viewer.field_maps": "viewer.pages.pixels.batch_job",
    "viewer.figures": "viewer.pages.channels.table",
    "viewer.files": "viewer.widgets.file_dialogs",
    "viewer.first_steps.steps": "viewer.workspace.steps",
    "viewer.fitting": "viewer.session.classifier_fit",
    "viewer.folding": "viewer.widgets.folding",
    "viewer.going": "viewer.selection.navigation",
    "viewer.heat": "viewer.charts.attribution_colormap",
    "viewer.held_out_share": "viewer.pages.classifier.held_out_share",
    "viewer.images_dock": "viewer.pages.data.page",
    "viewer.importance_dock": "viewer.pages.channels.page",
    "viewer.job_form": "viewer.widgets.job_form",
    "viewer.latents.axes": "viewer.charts.latent_axes",
    "viewer.latents.bars": "viewer.charts.interval_bars",
    "viewer.latents.cell_page": "viewer.pages.latents.cell_tab",
    "viewer.latents.cells_page": "viewer.pages.latents.cells_tab",
    "viewer.latents.choice": "viewer.widgets.combo_box",
    "viewer.latents.classes_page": "viewer.pages.latents.classes_tab",
    "viewer.latents.drawing": "viewer.pages.latents.decoder_worker",
    "viewer.latents.form": "viewer.pages.latents.form",
    "viewer.latents.marked": "viewer.widgets.colored_text",
    "viewer.latents.models": "viewer.pages.latents.model_list",
    "viewer.latents.pages": "viewer.pages.latents.results",
    "viewer.latents.pictures": "viewer.pages.latents.pictures",
    "viewer.latents.scatter": "viewer.pages.latents.scatter",
    "viewer.latents.shown": "viewer.pages.latents.latent_layers",
    "viewer.latents.slider": "viewer.pages.latents.slider",
    "viewer.latents.sliders": "viewer.pages.latents.sliders",
    "viewer.latents.strip": "viewer.pages.latents.traversal_strip",
    "viewer.latents.work": "viewer.pages.latents.latents_job",
    "viewer.latents_dock": "viewer.pages.latents.page",
    "viewer.launch": "viewer.page_parts.open_page",
    "viewer.layer_cells": "viewer.pages.data.layer_cells",
    "viewer.layer_fields": "viewer.pages.data.layer_fields",
    "viewer.layers.codes": "viewer.layers.class_layer",
    "viewer.layers.exporting": "viewer.layers.export",
    "viewer.layers.grids": "viewer.layers.grid_layer",
    "viewer.layers.looks": "viewer.layers.rendering",
    "viewer.layers.lookup": "viewer.layers.label_lookup",
    "viewer.layers.maps": "viewer.layers.map_layer",
    "viewer.layers.marks": "viewer.layers.cell_rings",
    "viewer.layers.results": "viewer.layers.own_layers",
    "viewer.layers.scores": "viewer.layers.score_layer",
    "viewer.layers.showing": "viewer.layers.field_of_view",
    "viewer.layers.sights": "viewer.layers.camera",
    "viewer.linking": "viewer.selection.sync",
    "viewer.many_cells": "viewer.pages.pixels.batch_panel",
    "viewer.memory": "viewer.pages.classifier.free_memory",
    "viewer.model_form": "viewer.pages.classifier.foreign_model_form",
    "viewer.naming": "viewer.widgets.accessible_names",
    "viewer.needs": "viewer.page_parts.prerequisites",
    "viewer.notice": "viewer.widgets.notice",
    "viewer.overlays": "viewer.selection.class_overlays",
    "viewer.pace": "viewer.tasks.redraw_pace",
    "viewer.paste": "viewer.pages.pixels.map_scaling",
    "viewer.per_viewer": "viewer.session.per_viewer",
    "viewer.phenotypes.choosing": "viewer.pages.phenotypes.selection_model",
    "viewer.phenotypes.class_menu": "viewer.pages.phenotypes.class_menu",
    "viewer.phenotypes.coloring": "viewer.pages.phenotypes.coloring",
    "viewer.phenotypes.colors_page": "viewer.pages.phenotypes.colors_tab",
    "viewer.phenotypes.confusion_page": "viewer.pages.phenotypes.confusion_tab",
    "viewer.phenotypes.confusion_view": "viewer.pages.phenotypes.confusion_view",
    "viewer.phenotypes.controls_box": "viewer.pages.phenotypes.controls_box",
    "viewer.phenotypes.crop_cache": "viewer.pages.phenotypes.crop_cache",
    "viewer.phenotypes.crop_reader": "viewer.pages.phenotypes.crop_reader",
    "viewer.phenotypes.dose_plot": "viewer.pages.phenotypes.dose_plot",
    "viewer.phenotypes.facts": "viewer.pages.phenotypes.cell_facts",
    "viewer.phenotypes.first_class": "viewer.pages.phenotypes.first_class",
    "viewer.phenotypes.gallery": "viewer.pages.phenotypes.gallery",
    "viewer.phenotypes.grid": "viewer.pages.phenotypes.gallery_grid",
    "viewer.phenotypes.group_table": "viewer.pages.phenotypes.group_table",
    "viewer.phenotypes.groups_page": "viewer.pages.phenotypes.groups_tab",
    "viewer.phenotypes.looks": "data.crop_rendering",
    "viewer.phenotypes.order_form": "viewer.pages.phenotypes.sort_form",
    "viewer.phenotypes.ordering": "viewer.pages.phenotypes.sorting",
    "viewer.phenotypes.plate_view": "viewer.pages.phenotypes.plate_view",
    "viewer.phenotypes.relabel": "viewer.pages.phenotypes.relabel",
    "viewer.phenotypes.swatch": "viewer.charts.class_swatch",
    "viewer.phenotypes.tiles": "viewer.pages.phenotypes.tiles",
    "viewer.phenotypes_dock": "viewer.pages.phenotypes.page",
    "viewer.picking": "viewer.selection.picking",
    "viewer.point_plot": "viewer.charts.point_plot",
    "viewer.preferences": "viewer.session.preferences",
    "viewer.preview": "viewer.pages.data.crop_preview",
    "viewer.priors": "viewer.page_parts.prior_menu",
    "viewer.probabilities_panel": "viewer.pages.classifier.probabilities_panel",
    "viewer.question_form": "viewer.pages.pixels.question_form",
    "viewer.recall_bars": "viewer.charts.recall_bars",
    "viewer.reliability_panel": "viewer.pages.pixels.reliability_panel",
    "viewer.removals": "viewer.page_parts.removed_layers",
    "viewer.reproduce.export_list": "viewer.pages.report.export_list",
    "viewer.reproduce.items": "viewer.pages.report.exports",
    "viewer.reproduce.recipe": "viewer.pages.report.config_job",
    "viewer.reproduce.snapshot": "viewer.pages.report.snapshot",
    "viewer.reproduce.telling": "viewer.pages.report.report_job",
    "viewer.reproduce_dock": "viewer.pages.report.page",
    "viewer.result_panel": "viewer.pages.pixels.cell_panel",
    "viewer.samples": "viewer.pages.data.samples",
    "viewer.secondary_text": "viewer.widgets.secondary_text",
    "viewer.settings_form": "viewer.page_parts.training_controls",
    "viewer.slices": "viewer.session.slice_follower",
    "viewer.small_plot": "viewer.charts.small_plot",
    "viewer.solo": "viewer.pages.channels.solo_channel",
    "viewer.sources": "viewer.session.cell_sources",
    "viewer.tab_titles": "viewer.widgets.tab_titles",
    "viewer.tabs": "viewer.widgets.tabs",
    "viewer.task_bar": "viewer.tasks.task_bar",
    "viewer.theme": "viewer.widgets.theme",
    "viewer.threads": "viewer.tasks.threads",
    "viewer.thumbnails": "viewer.charts.thumbnails",
}

#: Classes and functions that had another name in the module of the old name.
RENAMED = {
    "viewer.annotate.jobs": {"Found": "Restored", "Kept": "SaveResult"},
    "viewer.annotate.keeping": {"Keeping": "Autosave", "keeping_of": "autosave_of"},
    "viewer.annotate_dock": {"AnnotateDock": "AnnotatePage"},
    "viewer.classifier_dock": {"ClassifierDock": "ClassifierPage"},
    "viewer.dock": {"Dock": "Page"},
    "viewer.explain_dock": {"ExplainDock": "PixelsPage"},
    "viewer.images_dock": {"ImagesDock": "DataPage"},
    "viewer.importance_dock": {"ImportanceDock": "ChannelsPage"},
    "viewer.latents_dock": {"LatentsDock": "LatentsPage"},
    "viewer.phenotypes.crop_cache": {"Kept": "CachedCrop"},
    "viewer.phenotypes.crop_reader": {"Arrived": "CropBatch", "Wish": "CropRequest"},
    "viewer.phenotypes_dock": {"PhenotypesDock": "PhenotypesPage"},
    "viewer.reproduce_dock": {"ReproduceDock": "ReportPage"},
}

# Packages of earlier versions, all of whose modules have moved.
EMPTIED = (
    "viewer.annotate",
    "viewer.first_steps",
    "viewer.latents",
    "viewer.phenotypes",
    "viewer.reproduce",
)


class OldNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules by their old names."""

    def __init__(self) -> None:
        # Python writes the spec of the old name into a module; that of the new name is put back.
        self._specs: dict[str, importlib.machinery.ModuleSpec | None] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module of the new name, where ``fullname`` is an old one; else None."""
        name = fullname.removeprefix(f"{PACKAGE}.")
        if name in EMPTIED:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if name not in MOVED:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """The module itself, under both names."""
        name = spec.name.removeprefix(f"{PACKAGE}.")
        if name in EMPTIED:
            return None
        new = f"{PACKAGE}.{MOVED[name]}"
        warnings.warn(
            f"{spec.name} is now {new}; the old name will go", DeprecationWarning, stacklevel=2
        )
        module = importlib.import_module(new)
        for old_class, new_class in RENAMED.get(name, {}).items():
            setattr(module, old_class, getattr(module, new_class))
        self._specs[module.__name__] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Only put right what Python noted: the module was loaded by its new name."""
        if module.__name__ in self._specs:
            module.__spec__ = self._specs.pop(module.__name__)


def know_old_names() -> None:
    """Let old names be imported; a second call changes nothing."""
    if not any(isinstance(finder, OldNames) for finder in sys.meta_path):
        sys.meta_path.append(OldNames())
