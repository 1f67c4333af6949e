package jenkins.model;

import hudson.model.ItemGroup;
import hudson.model.TopLevelItem;

public interface ModifiableTopLevelItemGroup extends ItemGroup<TopLevelItem> {}
